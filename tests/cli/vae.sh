# fit --model vae: fit, info, eval, latent, sample, a run that is taken up again.
python3 -c '
import random
r = random.Random(1)
print("a,b,c")
for i in range(300):
    f = r.gauss(0, 1)
    print("%.4f,%.4f,%.4f" % (2 * f + r.gauss(0, .1), f * f + r.gauss(0, .1), f + f * f / 2 + r.gauss(0, .1)))' >bent.csv
quick="--model vae --latent 1 --hidden 8x1 --steps 200 --batch 64 -j 1"
noisy() { sed -E 's/ [-+]?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?/ #/g; s/ ± [0-9.e-]+/ ± #/g'; }
try fit bent.csv $quick -o a.safetensors | noisy
try info a.safetensors | head -11 | noisy
scorefield eval a.safetensors bent.csv --want logpdf,score,code -q -o e.csv
head -1 e.csv
scorefield latent a.safetensors bent.csv --want logpdf,data_score -q -o l.csv
cut -d, -f1-5 e.csv | tail -n +2 >eval.numbers
tail -n +2 l.csv | cmp - eval.numbers && echo "eval and latent agree"
scorefield sample a.safetensors -n 4 -q -o s.csv && wc -l <s.csv
echo "-- without noise rows are on a curve: what latent finds there reaches them"
scorefield sample a.safetensors -n 50 --noise off --raw -q -o curve.csv
scorefield latent a.safetensors curve.csv --want misfit --prior none -q -o m.csv
python3 -c '
import csv
print(all(float(r[0]) < 1e-9 for r in list(csv.reader(open("m.csv")))[1:]))'
try sample a.safetensors -n 4 --method flow -o x.csv
echo "-- the same for any number of threads, and from a checkpoint"
scorefield fit bent.csv $quick -q -o b.safetensors -j 3
scorefield eval b.safetensors bent.csv --want logpdf,score,code -q -o f.csv -j 3
cmp e.csv f.csv && echo same
scorefield fit bent.csv $quick --checkpoint run.safetensors -q -o c.safetensors
try fit bent.csv --model vae --latent 1 --resume run.safetensors -q -o d.safetensors
try fit bent.csv --model vae --latent 2 --resume run.safetensors -q -o x.safetensors
try fit bent.csv --model flow --resume run.safetensors -q -o x.safetensors
try fit bent.csv --model vae --latent 1 --noise diagonal --resume run.safetensors -q -o x.safetensors
echo "-- linear networks, each column its noise, columns in standard deviations, K found"
for o in "--hidden 1x0" "--noise diagonal" "--standardise" "--kl-warmup 0.3"; do
    scorefield fit bent.csv --model vae --latent 1 --steps 100 $o -q -o o.safetensors
    scorefield info o.safetensors | grep -E '^family|^  layers|^  diagonal|^  one scale' | tr -s ' \n' ' '
    echo
done
scorefield fit bent.csv --model vae --steps 100 --hidden 8x1 -o k.safetensors 2>&1 |
    grep -E "latent|^family" | noisy
echo "-- no encoder: latent points are inferred, and a run that goes on infers them again"
plain="--model vae --latent 1 --hidden 8x1 --steps 120 --batch 64 --encoder none -q"
try fit bent.csv $plain -o n.safetensors
scorefield info n.safetensors | grep -E "encoder|codes"
scorefield latent n.safetensors bent.csv --want z,logpdf -q -o l.csv && head -1 l.csv
try eval n.safetensors bent.csv --want code -o x.csv
scorefield fit bent.csv $plain -j 3 --checkpoint n.run.safetensors -o o.safetensors
scorefield eval n.safetensors bent.csv -q -o e.csv
scorefield eval o.safetensors bent.csv -q -o f.csv
cmp e.csv f.csv && echo same
try fit bent.csv --model vae --latent 1 --resume n.run.safetensors -q -o o.safetensors
echo "-- latent variables of the rows: without noise these are on the decoder's curve"
for m in a n; do
    scorefield sample $m.safetensors -n 40 --latent-law fitted --noise off --raw -q -o fitted.csv
    scorefield latent $m.safetensors fitted.csv --want misfit --prior none -q -o m.csv
    awk 'NR > 1 && $1 > 1e-9 { bad++ } END { print NR - 1, bad + 0 }' m.csv
done
echo "-- columns that repeat, each with its noise"
try fit "$data/faithful.csv" --model vae --latent 1 --noise diagonal --hidden 4x1 --steps 20 -o w.safetensors | grep -A 4 -i dequant | noisy
try fit "$data/faithful.csv" --model vae --latent 1 --noise diagonal --hidden 4x1 --steps 20 --no-dequantise -q -o w.safetensors
echo "-- what is never better is principal components"
try fit bent.csv $quick --steps 2 --lr 5 -o p.safetensors | grep -E '^family|^latent|kept|exit'
echo "-- what is refused"
try fit bent.csv --model vae --latent 3 -o x.safetensors -q
try fit bent.csv --model vae --latent 40 -o x.safetensors -q
try fit bent.csv --model vae --checkpoint r.safetensors -o x.safetensors -q
try fit bent.csv --model vae --objective dsm -o x.safetensors
try fit bent.csv --model network --objective elbo -o x.safetensors
try fit bent.csv --model vae --encoder none --kl-warmup 0.3 -o x.safetensors
try fit bent.csv --model flow --encoder none -o x.safetensors
try fit bent.csv --model network --noise diagonal -o x.safetensors
try fit bent.csv --model vae --latent auto --validation 0 -o x.safetensors
try eval a.safetensors bent.csv --want velocity -o x.csv
try eval a.safetensors bent.csv --time 0.5 -o x.csv
try sample "$corpus/model/gaussian.safetensors" -n 4 --noise off -o x.csv

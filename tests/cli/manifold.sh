# fit --model manifold: fit, info, latent, eval, a run that is taken up again, refusals.
python3 -c '
import random
r = random.Random(1)
print("a,b,c")
for i in range(300):
    u, v = r.uniform(-1, 1), r.uniform(-1, 1)
    print("%.4f,%.4f,%.4f" % (2 * u + v + r.gauss(0, .05), v + r.gauss(0, .05), u * u + u * v + r.gauss(0, .05)))' >sheet.csv
quick="--model manifold --latent 2 --hidden 8x1 --steps 200 --batch 64 -j 1"
noisy() { sed -E 's/ [-+]?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?/ #/g'; }
try fit sheet.csv $quick -o a.safetensors | noisy
try info a.safetensors | head -14 | noisy
echo "-- rows are projected on it without a prior"
scorefield latent a.safetensors sheet.csv --want z,orthogonality,kind,contours,principal,tangential -q -o l.csv
head -1 l.csv
awk -F, 'NR > 1 && ($3 > 1e-7 || $4 != 1) { bad++ } END { print NR - 1, bad + 0 }' l.csv
scorefield eval a.safetensors sheet.csv --want code -q -o e.csv && head -1 e.csv
echo "-- the same for any number of threads, and from a checkpoint"
scorefield fit sheet.csv $quick -q --checkpoint run.safetensors -o b.safetensors -j 3
scorefield eval b.safetensors sheet.csv --want code -q -o f.csv -j 3
cmp e.csv f.csv && echo same
try info run.safetensors | grep -E "objective|principal"
try fit sheet.csv --model manifold --latent 2 --resume run.safetensors -q -o c.safetensors
try fit sheet.csv --model manifold --latent 1 --resume run.safetensors -q -o x.safetensors
try fit sheet.csv --model manifold --latent 2 --principal 0 --resume run.safetensors -q -o x.safetensors
try fit sheet.csv --model vae --latent 2 --resume run.safetensors -q -o x.safetensors
echo "-- what is refused"
try fit sheet.csv --model manifold -o x.safetensors -q
try fit sheet.csv --model manifold --latent 3 -o x.safetensors -q
try fit sheet.csv --model manifold --latent 1 --encoder none -o x.safetensors
try fit sheet.csv --model manifold --latent 1 --bins 4 -o x.safetensors
try fit sheet.csv --model network --objective manifold -o x.safetensors
try eval a.safetensors sheet.csv -o x.csv
try eval a.safetensors sheet.csv --want score -o x.csv
try eval a.safetensors sheet.csv --want principal -o x.csv
try sample a.safetensors -n 4 -o x.csv
try latent a.safetensors sheet.csv --want logpdf -o x.csv

# fit --model flow: fit, info, eval, sample, plot, a run that is taken up again.
quick="--model flow --hidden 6x2 --bins 4 --steps 20 --batch 64 -j 1"
try fit "$data/faithful.csv" $quick --principal 1 -o f.safetensors --curve c.csv | numbers
head -1 c.csv
try info f.safetensors | numbers
try eval f.safetensors "$data/faithful.csv" --want logpdf,score,code,contours,information,principal,manifold \
    -o e.csv | numbers
head -1 e.csv
echo "-- the contours and the information are ln p"
awk -F, 'NR > 1 { off = $1 - $6 - $7 - $8; if (off * off > 1e-16) bad++ } END { print NR - 1, bad + 0 }' e.csv
try eval f.safetensors "$data/faithful.csv" --want manifold --rank 2 -q -o m.csv
awk -F, 'NR > 1 { ranks[$2]++ } END { for (r in ranks) print r, ranks[r] }' m.csv
try sample f.safetensors -n 3 --seed 2 -o s.csv
try plot f.safetensors "$data/faithful.csv" -q -o f.png
echo "-- a run that was stopped"
try fit "$data/faithful.csv" $quick --principal 1 --checkpoint run.safetensors -q -o g.safetensors
scorefield eval g.safetensors "$data/faithful.csv" -q -o g.csv
scorefield eval f.safetensors "$data/faithful.csv" -q -o f.csv
cmp f.csv g.csv && echo same
try fit "$data/faithful.csv" --model flow --resume run.safetensors -q -o h.safetensors
scorefield eval h.safetensors "$data/faithful.csv" -q -o h.csv
cmp f.csv h.csv && echo same
try fit "$data/faithful.csv" --model network --resume run.safetensors -q -o h.safetensors
try fit "$data/faithful.csv" --model flow --principal 2 --resume run.safetensors -q -o h.safetensors
echo "-- repeated values as they are"
try fit "$data/faithful.csv" $quick --no-dequantise -q -o h.safetensors
try fit "$data/faithful.csv" --no-dequantise --resume run.safetensors --model flow -q -o h.safetensors
echo "-- injective: fewer latent variables than columns"
try fit "$data/faithful.csv" $quick --latent 1 -o i.safetensors | numbers
scorefield info i.safetensors | grep -E "^family|latent" | head -2
scorefield eval i.safetensors "$data/faithful.csv" --want logpdf,score,code -q -o i.csv && head -1 i.csv
scorefield latent i.safetensors "$data/faithful.csv" --want z,contours -q -o i.csv && head -1 i.csv
scorefield sample i.safetensors -n 3 --noise off -q -o i.csv && wc -l <i.csv
scorefield fit "$data/faithful.csv" $quick --latent 1 --checkpoint irun.safetensors -q -o i2.safetensors
try fit "$data/faithful.csv" --model flow --latent 1 --resume irun.safetensors -q -o i2.safetensors
try fit "$data/faithful.csv" --model flow --resume irun.safetensors -q -o i2.safetensors
try fit "$data/faithful.csv" $quick --latent 2 -q -o x.safetensors
try fit "$data/faithful.csv" $quick --latent auto -q -o x.safetensors
echo "-- what cannot be"
try fit "$data/faithful.csv" --model vae --no-dequantise -o x.safetensors
try sample f.safetensors -n 3 --latent-law fitted -o x.csv
try fit "$data/faithful.csv" --model flow --objective dsm -o x.safetensors
try fit "$data/faithful.csv" --model network --principal 1 -o x.safetensors
try eval f.safetensors "$data/faithful.csv" --want velocity -o x.csv
try eval f.safetensors "$data/faithful.csv" --time 0.5 -o x.csv
try eval f.safetensors "$data/faithful.csv" --want manifold --rank 3 -o x.csv
try sample f.safetensors -n 3 --method sde -o x.csv
try denoise f.safetensors "$data/faithful.csv" --time 0.1 -o x.csv
ls

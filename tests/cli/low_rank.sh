# fit --model pca and fa: fit, info, sample, eval, plot.
printf '%s\n' a,b,c,d 1.2,.8,2.1,-.3 .4,1.1,1,.2 -.9,-.2,-1.4,.5 2,1.9,3.2,-1.1 \
    -.5,.3,-.2,.1 .1,-.7,.3,.4 -1.6,-1.2,-2.7,.9 .8,.2,1.7,-.6 >known.csv
try fit known.csv --model pca --latent 2 -o known.safetensors
try fit "$data/penguins.csv" --model pca -o pca.safetensors | tail -16
scorefield fit "$data/penguins.csv" --model pca --latent 2 --standardise -q -o two.safetensors
try info two.safetensors
try fit "$data/penguins.csv" --model fa --latent 1 -o fa.safetensors
try eval two.safetensors "$data/penguins.csv" --want logpdf,score,code -o codes.csv
head -1 codes.csv
try sample fa.safetensors -n 3 --seed 5 --json -o drawn.csv
try plot fa.safetensors "$data/penguins.csv" -q -o fa.png
echo "-- what cannot be"
try fit known.csv --model pca -q --latent 4 -o x.safetensors
try fit known.csv --model pca -q --latent two -o x.safetensors
try fit known.csv --model pca --validation 0 -o x.safetensors
try fit known.csv --model fa --standardise -o x.safetensors
try fit known.csv --model gaussian --latent 2 -o x.safetensors
try fit known.csv --model fa --hidden 3x3 -o x.safetensors
try eval two.safetensors known.csv --want code --time 0.5 -o x.csv
try sample fa.safetensors -n 3 --trace t.npy -o x.csv
ls

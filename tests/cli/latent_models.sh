# Latent points through models: what eval knows in closed form, latent finds.
near() { python3 -c '
import csv, sys
a, b = [list(csv.reader(open(f))) for f in sys.argv[1:3]]
print(a[0], b[0], len(a) == len(b) and all(abs(float(u) - float(v)) < 1e-9 * (1 + abs(float(u)))
    for r, s in zip(a[1:], b[1:]) for u, v in zip(r, s)))' "$@"; }
scorefield fit "$data/iris.csv" --model pca --latent 2 -q -o pca.safetensors
scorefield fit "$data/iris.csv" --model fa --latent 1 -q -o fa.safetensors
for m in pca fa; do
    scorefield latent $m.safetensors "$data/iris.csv" --want logpdf,z -q -o latent.csv
    scorefield eval $m.safetensors "$data/iris.csv" --want logpdf,code -q -o eval.csv
    cut -d, -f1,3- latent.csv >found.csv
    near found.csv eval.csv
done
try latent pca.safetensors "$data/iris.csv" --want residual,misfit -o out.csv |
    sed -E '/orthogonality|seconds/s/[0-9.e-]+$/#/'
head -1 out.csv
echo "-- at given points, on curves, and draws"
printf 'u,sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm,v\n0,5,3,1.5,0.2,1\n' >at.csv
try latent pca.safetensors at.csv --at u,v --want z,kind -o - -q
scorefield latent pca.safetensors --geodesic 0,0:1,1 --segments 2 -q -o - | cut -d, -f1-3
scorefield latent pca.safetensors "$data/iris.csv" --between 1,2 --segments 2 -q -o - | wc -l
scorefield latent fa.safetensors "$data/iris.csv" --draws 8 --warmup 10 -q -o - | wc -l
echo "-- what is refused"
try latent pca.safetensors -o out.csv
try latent pca.safetensors "$data/iris.csv" --sigma 1 -o out.csv
try latent pca.safetensors "$data/iris.csv" --latent-dim 2 -o out.csv
try latent pca.safetensors "$data/iris.csv" --columns sepal_length -o out.csv
try latent pca.safetensors "$data/iris.csv" --decoder z -o out.csv
try latent pca.safetensors "$data/faithful.csv" -o out.csv
scorefield fit "$data/faithful.csv" --model gaussian -q -o gaussian.safetensors
try latent gaussian.safetensors "$data/faithful.csv" -o out.csv

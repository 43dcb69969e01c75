# A picture for whatever the files hold.
model=$corpus/model/gaussian.safetensors network=$corpus/model/network.safetensors
one=$corpus/model/one_level.safetensors
draw() {
    scorefield plot "$@" --scale 0.5 || echo "[exit $?]"
    local file
    for file; do :; done
}
scorefield sample "$model" -n 50 -o s.csv --trace t.npy
scorefield fit "$data/faithful.csv" -q --model network --hidden 4x1 --steps 20 -o n.safetensors --curve c.csv
scorefield fit "$data/faithful.csv" -q --model gaussian --columns waiting -o w.safetensors
scorefield fit "$data/iris.csv" -q --model gaussian -o i.safetensors 2>&1
draw "$data/faithful.csv" --columns waiting -o one_column.png
draw w.safetensors "$data/faithful.csv" -o one_density.svg
draw w.safetensors -o one_drawn.pdf
draw "$data/faithful.csv" -o two_columns.png
draw "$data/faithful.csv" s.csv -o two_tables.png
draw "$model" -o two_density.png
draw "$network" "$data/faithful.csv" s.csv -o two_network.png --grid 9 --range 1:6,40:100
draw "$one" -o one_level.png -n 20
draw "$data/iris.csv" -o pairs.png
draw i.safetensors "$data/iris.csv" -o pairs_model.png -n 50
draw c.csv -o curve.svg
draw --trace t.npy -o paths.png
draw --trace t.npy "$model" -o paths_density.png
draw --trace t.npy -o film.gif
draw --trace t.npy -o film.webp
echo "-- latent variables"
quick="--hidden 4x1 --steps 30 --batch 32 -j 1 -q"
scorefield fit "$data/iris.csv" --model manifold --latent 2 $quick -o m.safetensors 2>errors
scorefield fit "$data/iris.csv" --model vae --latent 1 $quick -o v.safetensors 2>errors
scorefield fit "$data/faithful.csv" --model flow --principal 1 $quick -o fl.safetensors
scorefield fit "$data/iris.csv" --model pca --latent 2 -q -o p.safetensors 2>errors
draw m.safetensors "$data/iris.csv" --latent -o latent.png
draw m.safetensors "$data/iris.csv" --latent --columns petal_length_cm,sepal_width_cm --between 1,120 -o latent_geodesic.svg
draw v.safetensors --latent -o latent_one.png
draw fl.safetensors "$data/faithful.csv" --latent -o latent_flow.png --grid 9
draw p.safetensors --latent --pixels 2x2 -o latent_pixels.png
draw i.safetensors "$data/iris.csv" --latent -o x.png
draw "$data/iris.csv" --latent -o x.png
draw m.safetensors "$data/iris.csv" --between 1,2 -o x.png
draw m.safetensors "$data/iris.csv" --latent --between 1,200 -o x.png
draw fl.safetensors "$data/faithful.csv" --latent --between 1,2 -o x.png
draw m.safetensors --latent --columns petal_length_cm -o x.png
draw m.safetensors --latent --columns petal_length_cm,petal -o x.png
draw m.safetensors --latent --pixels 3x3 -o x.png
draw m.safetensors --latent --pixels two -o x.png
echo "-- typed densities"
normal='-0.5*(x^2 + y^2 - x*y)/0.75'
scorefield sample --density "$normal" -n 400 -q -o draws.csv --trace d.npy 2>errors
scorefield sample --density '2*log(rain) - 2*rain' --domain positive -n 400 -q -o rain.csv 2>errors
draw --density "$normal" -o typed.png
draw --density "$normal" --range -3:3,-3:3 draws.csv -o typed_draws.svg
draw --density "$normal" draws.csv draws.csv --range -3:3 -o typed_two.png
draw --density '-x*P*x' --dim 2 --param 'P=2,1;1,2' --columns a,b --grid 9 -o typed_vector.png
draw --density '2*log(rain) - 2*rain' --domain positive rain.csv -o typed_line.png
draw --density 'k*cos(a)' --domain circle --param k=2 -o typed_circle.pdf
draw --density "$normal" --trace d.npy -o typed_paths.png
draw --density "$normal" --trace d.npy --range -3:3,-3:3 -o typed_film.gif
draw --density "$normal" --trace d.npy -o typed_film.webp
scorefield sample "$corpus/model/density.safetensors" -n 200 -q -o file.csv 2>errors
draw "$corpus/model/density.safetensors" file.csv -o typed_file.png
echo "-- draws of chains"
scorefield sample --density "$normal" -n 41 --chains 3 -q -o short.csv 2>errors
draw short.csv --chains -o chains.png
draw rain.csv --chains --columns rain -o chains_one.svg
draw --trace d.npy --chains -o chains_trace.pdf
awk 'BEGIN { for (i = 0; i < 13; i++) printf "%sa%d", i ? "," : "", i; print ""
    for (r = 0; r < 20; r++) { for (i = 0; i < 13; i++) printf "%s%.3f", i ? "," : "", sin(r * i + i); print "" } }' >wide.csv
scorefield plot wide.csv -o wide.png 2>&1
echo "-- categories, dates, circles, missing cells"
draw "$data/penguins.csv" -o kinds.png
draw "$data/penguins.csv" --columns sex -o kinds_bars.png
draw "$data/penguins.csv" --columns species,body_mass_g -o kinds_boxes.svg
draw "$data/penguins.csv" "$data/penguins.csv" --columns island,species -o kinds_tiles.pdf
scorefield fit "$data/penguins.csv" -q --model empirical -o p.safetensors
draw p.safetensors "$data/penguins.csv" -o kinds_model.png
draw p.safetensors -n 100 -o kinds_drawn.png
scorefield fit "$data/penguins.csv" -q --model empirical --columns sex,species -o q.safetensors
draw q.safetensors "$data/penguins.csv" -o kinds_two.png
printf 'day,wind_dir,calm\n' >days.csv
for i in $(seq 10 28); do echo "2024-01-$i,$((i * 37 % 360)),$((i % 3 / 2))" >>days.csv; done
draw days.csv -o dates.png
draw days.csv --columns day -o dates_one.png
scorefield fit days.csv -q --model empirical --columns wind_dir --kernel vonmises:unit=degrees -o w2.safetensors
draw w2.safetensors days.csv -o circle.png
for file in *.png *.svg *.pdf *.gif *.webp; do
    printf '%s: %s\n' "$file" "$(head -c 4 "$file" | tr -c 'A-Za-z0-9%<?\n' .)"
done
echo "-- the same bytes again"
draw "$model" -o again.png
cmp two_density.png again.png && echo same
draw --density "$normal" --seed 3 -o typed_3.png
draw --density "$normal" --seed 3 -j 1 -o again.png
cmp typed_3.png again.png && echo same
echo "-- what can not be drawn"
try plot "$model" "$network" -o x.png
try plot s.csv s.csv s.csv -o x.png
try plot "$model" "$data/faithful.csv" --columns waiting -o x.png
try plot "$model" "$data/iris.csv" -o x.png
try plot --trace s.npy -o x.png
scorefield sample "$model" -n 5 -o flat.npy
try plot --trace flat.npy -o x.png
try plot --trace t.npy w.safetensors -o x.png
try plot "$data/penguins.csv" --columns sex --range 0:1 -o x.png
sed 's/^[0-9.]*/many/; 1s/many/sepal_length_cm/' "$data/iris.csv" >iris_text.csv; sed -i "3s/many/few/; 1s/.*/$(head -1 "$data/iris.csv")/" iris_text.csv
try plot i.safetensors iris_text.csv -o x.png
{ echo a,b; paste -d, <(seq 1 30) <(seq 5 34); } >keys.csv
try plot keys.csv -o x.png
printf 'a,b\n,\n,\n' >empty.csv
try plot empty.csv -o x.png
echo "-- typed densities that can not be drawn"
try plot --density 'x + y + z' -o x.png | sed 's|iteration [0-9]*|iteration N|; s|chain [0-9]|chain N|'
try plot --density 'log(x0) + log(x1)' --dim 2 --domain simplex -o x.png
try plot --density "$normal" "$model" -o x.png
try plot --density "$normal" "$data/faithful.csv" -o x.png
try plot "$corpus/model/density.safetensors" "$model" -o x.png
try plot "$corpus/model/density.safetensors" --time 0.5 -o x.png
try plot "$corpus/model/density.safetensors" --columns a -o x.png
try plot --density "$normal" --time 0.5 -o x.png
try plot "$data/faithful.csv" --dim 2 -o x.png
try plot --density '-(x' -o x.png
try plot --density 'sqrt(x - 7)' -o x.png
try plot --density 'sqrt(x - 7)' --range 0:3 -o x.png
try plot --density '-x^2 - y^2' --domain 'x=7:' --range 0:3,0:1 -o x.png
try plot --density 'x' -o x.png | sed 's/iteration [0-9]*/iteration N/; s/chain [0-9]/chain N/'
try plot --density '-x^2' --trace d.npy -o x.png
try plot --density '-x^2' -o x.gif
ls x.png
echo "-- chains that can not be drawn"
try plot "$data/faithful.csv" --chains -o x.png
try plot draws.csv rain.csv --chains -o x.png
try plot draws.csv --chains --density "$normal" -o x.png
try plot draws.csv --chains --trace d.npy -o x.png
try plot draws.csv --chains -o x.gif
try plot draws.csv --chains --columns z -o x.png
printf 'chain,draw,a\n0,0,1\n0,1.5,2\n' >half.csv
try plot half.csv --chains -o x.png
printf 'chain,draw,a\n0,0,1\n9000,70000,2\n' >far.csv
try plot far.csv --chains -o x.png
ls x.png

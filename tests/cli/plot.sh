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
for file in *.png *.svg *.pdf *.gif *.webp; do
    printf '%s: %s\n' "$file" "$(head -c 4 "$file" | tr -c 'A-Za-z0-9%<?\n' .)"
done
echo "-- the same bytes again"
draw "$model" -o again.png
cmp two_density.png again.png && echo same
echo "-- what can not be drawn"
try plot "$model" "$network" -o x.png
try plot s.csv s.csv s.csv -o x.png
try plot "$model" "$data/faithful.csv" --columns waiting -o x.png
try plot "$model" "$data/iris.csv" -o x.png
try plot --trace s.npy -o x.png
scorefield sample "$model" -n 5 -o flat.npy
try plot --trace flat.npy -o x.png
try plot --trace t.npy w.safetensors -o x.png
awk 'BEGIN { for (i = 0; i < 13; i++) printf "%sa%d", i ? "," : "", i; print ""
    for (r = 0; r < 20; r++) { for (i = 0; i < 13; i++) printf "%s%.3f", i ? "," : "", sin(r * i + i); print "" } }' >wide.csv
try plot wide.csv -o x.png

# What a program says that was built without pictures.
normal='-(x^2 + y^2)'
try plot "$data/faithful.csv" -o tables.png
try plot --density "$normal" -o typed.svg
try plot --trace t.npy -o film.gif
try plot
try fit "$data/faithful.csv" --model network --steps 8 --curve curve.pdf -q -o m.safetensors
ls
echo "-- what needs none"
try fit "$data/faithful.csv" --model network --steps 8 --curve curve.csv -q -o m.safetensors
try help plot | head -3
ls

# Columns are found by name, in any order, among others.
model=$corpus/model/gaussian.safetensors
scorefield eval "$model" "$data/faithful.csv" --want logpdf,score -q -o a.csv
awk -F, -v OFS=, '{ print $2, NR, $1 }' "$data/faithful.csv" | sed '1s/1/row/' >swapped.csv
try eval "$model" swapped.csv --want logpdf,score -o b.csv
cmp a.csv b.csv && echo same
try eval "$model" "$data/iris.csv" -o x.csv
cut -d, -f1 "$data/faithful.csv" >half.csv
try eval "$model" half.csv -o x.csv
printf 'waiting,eruptions\n70,3\n,2\n' >hole.csv
try eval "$model" hole.csv -o x.csv
printf 'waiting,eruptions\n70,short\n71,long\n' >words.csv
try eval "$model" words.csv -o x.csv
echo "-- a file without names goes by its order"
scorefield sample "$model" -n 4 -o four.npy
scorefield eval "$model" four.npy --want score -q -o - | wc -l
scorefield sample "$corpus/model/one_level.safetensors" --method langevin --steps 2 -n 4 -o one.npy
try eval "$model" one.npy -o x.csv
echo "-- all that may be wanted"
scorefield eval "$corpus/model/network.safetensors" "$data/faithful.csv" --time 0.5 -q \
    --want code,denoised,jacobian,divergence,velocity,score,logpdf -o all.csv
head -1 all.csv
wc -l <all.csv
echo "-- above 32 columns the trace is estimated, and so is its error"
awk 'BEGIN { srand(1); for (j = 0; j < 33; j++) printf "%sc%d", j ? "," : "", j
    print ""
    for (i = 0; i < 60; i++) { for (j = 0; j < 33; j++) printf "%s%.3f", j ? "," : "", rand() + rand() - 1
        print "" } }' >wide.csv
scorefield fit wide.csv --model network --hidden 4x1 --steps 2 --validation 0 -q -o wide.safetensors
head -5 wide.csv >points.csv
scorefield eval wide.safetensors points.csv -q -o - | head -1
try eval wide.safetensors points.csv -o e.csv | numbers
scorefield eval wide.safetensors points.csv -q -o e.csv --seed 1 --json | python3 -c '
import json, sys
print(sorted(json.load(sys.stdin)))'
echo "-- some columns of a table without names are found by their numbers"
printf '1,a,3\n2,b,5\n3,c,4\n4,a,9\n5,d,7\n' >bare.csv
scorefield fit bare.csv --model gaussian -q -o bare.safetensors
scorefield eval bare.safetensors bare.csv -q -o - 2>&1
printf '1,3\n2,5\n' >narrow.csv
scorefield eval bare.safetensors narrow.csv -q -o - 2>&1

# A file that is no model, or not one for this version.
for name in "$corpus"/model/*.safetensors; do
    try info "$name"
done 2>&1 | sed -E 's/^(training|written).*//' | grep -A3 -E '^\$|^scorefield|exit 3' |
    grep -E '^\$|^scorefield:|exit' 
try sample "$corpus/model/checkpoint.safetensors" -n 1 -o x.csv
cp "$corpus/model/network.safetensors" cut.safetensors
truncate -s -1 cut.safetensors
try sample cut.safetensors -n 1 -o x.csv
truncate -s 7 cut.safetensors
try sample cut.safetensors -n 1 -o x.csv
truncate -s 0 cut.safetensors
try sample cut.safetensors -n 1 -o x.csv
try sample "$data/faithful.csv" -n 1 -o x.csv
try sample nowhere.safetensors -n 1 -o x.csv
try sample "$corpus/model/one_level.safetensors" -n 1 -o x.csv
try eval "$corpus/model/one_level.safetensors" "$data/faithful.csv" -o x.csv -q
ls

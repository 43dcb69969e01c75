# What a file holds.
try info "$data/penguins.csv"
try info "$corpus/model/network.safetensors"
scorefield sample "$corpus/model/gaussian.safetensors" -n 3 -o s.npy --trace t.npy
try info s.npy | sed -E 's/[0-9]+\.[0-9]+/#/g; s/ +/ /g'
try info t.npy
scorefield info "$data/faithful.csv" --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["columns"][0])'
cat "$data/faithful.csv" | scorefield info -
try info nowhere.csv

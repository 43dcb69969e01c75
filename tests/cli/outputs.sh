# Where a result can not be written, nothing is left behind, and old files stay.
model=$corpus/model/gaussian.safetensors
try sample "$model" -n 10 -o /nowhere/x.csv
try sample "$model" -n 10 -o .
try sample "$model" -n 100000 -o /dev/full
try fit "$data/faithful.csv" --model gaussian -q -o /dev/full
try fit "$data/faithful.csv" --model gaussian -q -o /nowhere/m.safetensors
try plot "$data/faithful.csv" -o /nowhere/p.png
"$program" sample "$model" -n 100000 -o - >/dev/full
echo "[exit $?]"
"$program" info "$model" >/dev/full
echo "[exit $?]"
"$program" --version >/dev/full
echo "[exit $?]"
# A terminal gets no binary data.
script -qec "$program fit $data/faithful.csv --model gaussian -q -o -" /dev/null </dev/null | tr -d '\r'
# A reader that has seen enough.
"$program" sample "$model" -n 100000 -o - 2>said | head -1
ls -A

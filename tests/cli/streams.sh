# Data and reports go to stdout where they are asked for, all else to stderr.
model=$corpus/model/gaussian.safetensors
apart() {
    echo "\$ scorefield $*" | blur
    "$program" "$@" >out 2>err </dev/null
    echo "[exit $?, $(wc -l <out) lines on stdout, $(wc -l <err) on stderr]"
}
apart sample "$model" -n 3 -o -
apart sample "$model" -n 3 -o s.csv
apart eval "$model" "$data/faithful.csv" -o -
apart eval "$model" "$data/faithful.csv" -o - -q
apart eval "$model" "$data/faithful.csv" -o e.csv --json
apart fit "$data/faithful.csv" --model gaussian -o m.safetensors
apart fit "$data/faithful.csv" --model gaussian -o m.safetensors -q
apart fit "$data/faithful.csv" --model gaussian -o m.safetensors -q --json
apart info "$model"
apart --help
apart help fit
apart nonsense
echo "-- a progress line on a terminal, none elsewhere"
quick="--model network --hidden 8x1 --steps 200 -o m.safetensors"
script -qec "$program fit $data/faithful.csv $quick" typescript </dev/null >/dev/null
grep -c 'fit: [0-9]* of 200' typescript | sed 's/^[1-9][0-9]*$/some/'
"$program" fit "$data/faithful.csv" $quick 2>err
grep -c 'fit: [0-9]* of 200' err
script -qec "$program fit $data/faithful.csv -q $quick" typescript </dev/null >/dev/null
grep -c 'fit: [0-9]* of 200' typescript

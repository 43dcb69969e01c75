# Columns of texts: fitted as levels, drawn as they are spelled.
try fit "$data/penguins.csv" --model empirical -o p.safetensors | sed -E 's/ ± [0-9.]+//; s/(likelihood|width) +-?[0-9.]+/\1 #/'
scorefield info p.safetensors | sed -n '/^columns/,/year/p' | sed -E 's/ +[0-9.]+ +[0-9.]+ +([a-z]+:)/ # \1/'
echo "-- a drawn table has the kinds of the first"
scorefield sample p.safetensors -n 500 --seed 3 -o drawn.csv
kinds() { scorefield info "$1" --json | python3 -c '
import json, sys
for c in json.load(sys.stdin)["columns"]:
    print(c["column"], c["kind"], c["decimals"], c["levels"])'; }
kinds "$data/penguins.csv" >first.txt
kinds drawn.csv >second.txt
diff first.txt second.txt && echo the same
cut -d, -f1,2,7 drawn.csv | tail -n +2 | sort | uniq -c | awk '{ print $2 }'
echo "-- levels are matched by spelling, in any order of rows and columns"
sed -n '1p;20,60p' "$data/penguins.csv" | scorefield eval p.safetensors - -q -o a.csv
{ sed -n 1p "$data/penguins.csv"; sed -n '20,60p' "$data/penguins.csv" | tac; } | scorefield eval p.safetensors - -q -o b.csv
tail -n +2 b.csv | tac | cmp - <(tail -n +2 a.csv) && echo the same
echo "-- what they were"
printf 'species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\nGentoo,Torgersen,39.1,18.7,181,3750,male,2007\n' >odd.csv
scorefield fit "$data/penguins.csv" --model empirical --complete-rows -q -o p.safetensors
scorefield eval p.safetensors odd.csv --time 0.5 --want denoised -q -o - | cut -d, -f1,2,7
scorefield denoise p.safetensors odd.csv --time 0.5 --draw -q -o - | cut -d, -f1,2,7
echo "-- what is refused"
sed 's/Gentoo/Emperor/' odd.csv >unknown.csv
try eval p.safetensors unknown.csv -o x.csv
try eval p.safetensors odd.csv --want score -o x.csv
try sample p.safetensors -n 3 --method flow -o x.csv
try fit "$data/penguins.csv" --model gaussian --columns sex,year -o x.safetensors -q
try fit "$data/penguins.csv" --model empirical --weights sex -o x.safetensors -q
try fit "$data/penguins.csv" --model empirical --kernel 'species=category:rate=0; island,sex=category' --columns species,island,sex -o x.safetensors -q
echo "-- levels alone, levels that are numbers, a key among them"
printf 'name,grade,pass\n' >names.csv
for i in $(seq 1 30); do printf 'n%d,%d,%s\n' "$i" $((i * i % 4)) "$([ $((i % 3)) = 0 ] && echo no || echo yes)"; done >>names.csv
try fit names.csv --model empirical --kind grade=category -o n.safetensors | sed -E 's/(bandwidth|likelihood) +.*/\1 #/'
scorefield sample n.safetensors -n 3 -o -
printf 'grade,pass\n1,yes\n0,no\n' >few.csv
scorefield eval n.safetensors few.csv -q -o - | sed -E 's/([0-9]\.[0-9]{6})[0-9]*/\1/'

# What `auto` keeps of tables with categories or missing cells: judged by drawn rows.
judged() { sed -E 's/-?[0-9.]+(e[+-][0-9]+)? ± [0-9.e+-]+/#/g; s/ratio -?[0-9.]+/ratio #/; s/([a-z]) +-?[0-9].*# +([a-z ]*)$/\1 # \2/; s/^(  [a-z, ]+[a-z]) +#.*(kept|too close|copies) *$/\1: \2/; s/^(  [a-z, ]+[a-z]) +#.*/\1/; s/^(seconds|bandwidth|largest bandwidth|bic|log likelihood|leave one out.*) +.*/\1 #/'; }
echo "-- categories and missing cells, with nothing said but names"
try fit "$data/penguins.csv" -o p.safetensors | judged
scorefield sample p.safetensors -n 344 -o drawn.csv
kinds() { scorefield info "$1" --json | python3 -c '
import json, sys
for c in json.load(sys.stdin)["columns"]:
    print(c["column"], c["kind"], c["decimals"], c["levels"])'; }
kinds "$data/penguins.csv" >first.txt
kinds drawn.csv >second.txt
diff first.txt second.txt && echo the same kinds
grep -c ',,' drawn.csv
echo "-- numbers with missing cells: no row is dropped"
awk -F, 'NR > 1 && NR % 7 == 0 { $2 = "" } NR > 1 && NR % 11 == 0 { $1 = "" } { print $1 "," $2 }' "$data/faithful.csv" >holes.csv
try fit holes.csv -o h.safetensors | judged
try fit holes.csv --for density -o d.safetensors -q
scorefield info d.safetensors | head -3
try fit holes.csv --complete-rows -q -o c.safetensors --steps 20
echo "-- complete numbers, judged by rows"
try fit "$data/faithful.csv" --for rows --hidden 8x1 -o r.safetensors | judged
echo "-- what is refused"
try fit holes.csv --for rows --model gaussian -o x.safetensors
try fit holes.csv --for fun -o x.safetensors
try fit "$data/penguins.csv" --validation 0 -o x.safetensors
head -4 "$data/penguins.csv" >few.csv
try fit few.csv -q -o x.safetensors
ls x.safetensors

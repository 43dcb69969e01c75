# Missing cells are filled, all others come back.
try impute "$data/penguins.csv" -o whole.csv --spread cells.csv
echo "-- only cells of numbers that were missing are new, and whole numbers are whole"
diff "$data/penguins.csv" whole.csv | grep '^[<>]' | sed -E 's/[0-9]+\.[0-9]{3,}/#/g'
head -3 cells.csv | sed -E 's/(\.[0-9])[0-9]+/\1/g'
echo "-- by a model: given a = 1, b is 0.77232"
printf 'a,b\n0.6,0.98\n0.04,-1.32\n-0.29,-1.18\n-0.78,-0.71\n-0.26,-0.42\n0.01,\n-0.28,\n1.29,\n' >holes.csv
scorefield fit holes.csv --model gaussian --prior-rows 0 -q -o g.safetensors
printf 'name,b,a\nx,,1\ny,0.50,0.5\nz,,\n' >rows.csv
try impute g.safetensors rows.csv -o filled.csv
sed -E 's/(\.[0-9]{5})[0-9]+/\1/g' filled.csv
echo "-- draws are joint, and each table is another one"
try impute g.safetensors rows.csv -o drawn.csv --draws 2 --seed 4
ls drawn*
sed -n 3p drawn-1.csv
cmp -s drawn-1.csv drawn-2.csv || echo different
scorefield impute g.safetensors rows.csv -o again.csv --with draw --seed 4 -q
cmp again.csv drawn-1.csv && echo the first
echo "-- constants, columns without cells, columns of text"
printf 'k,e,t,x,y\n7,,a,1,2\n,,,2,\n7,,b,4,7.5\n7,,a,5,9\n' >odd.csv
try impute odd.csv -o - -q
try impute odd.csv -o o.csv --columns t,x
echo "-- nothing is missing"
try impute "$data/faithful.csv" -o f.csv
cmp "$data/faithful.csv" f.csv && echo same
echo "-- refused"
try impute g.safetensors "$data/faithful.csv" -o x.csv
try impute "$corpus/model/network.safetensors" "$data/faithful.csv" -o x.csv
try impute holes.csv -o holes.csv
try impute holes.csv -o - --draws 2
try impute holes.csv -o x.csv --draws 2 --with mean
try impute holes.csv -o x.csv --contract 0.5
try impute g.safetensors holes.csv -o x.csv --bandwidth 1
try impute holes.csv -o x.csv --spread x.npy
try impute holes.csv
ls x* 2>/dev/null

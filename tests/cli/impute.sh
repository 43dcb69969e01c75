# Missing cells are filled, all others come back.
try impute "$data/penguins.csv" -o whole.csv --spread cells.csv
echo "-- only cells that were missing are new, and of their column"
diff "$data/penguins.csv" whole.csv | grep '^[<>]'
head -7 cells.csv | sed -E 's/(\.[0-9])[0-9]+/\1/g'
echo "-- by classes, which are texts or whole numbers; dates; no number at all"
try impute "$data/penguins.csv" --target species -o whole.csv -q
grep -c NA whole.csv
printf 'class,x\n1,1\n1,2\n1,\n1,1.5\n3,70\n3,71\n3,\n,70.5\n3,70.2\n' >classes.csv
try impute classes.csv --target class -o -
try impute classes.csv --target x -o x.csv
try impute classes.csv --target z -o x.csv
printf 'd,x\n2020-01-01,1\n2020-01-03,3\n,2\n2020-01-09,9\n2020-01-05,\n2020-01-06,6.2\n' >dates.csv
try impute dates.csv -o - -q
try impute dates.csv -o - -q --kind 'x=integer'
printf 'a,b\nu,yes\nv,no\nu,\n,no\nu,yes\nv,no\nu,yes\n' >words.csv
try impute words.csv -o - -q
try impute words.csv -o w.csv --draws 1 --contract 1 -q
tail -n +4 w-1.csv | head -2
echo "-- by a model: given a = 1, b is 0.77232, to the decimals of the table"
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

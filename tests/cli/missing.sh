# Rows with missing cells.
echo "-- the maximum of the likelihood is known: mean 0.04125, -0.32487, ln L -12.06132"
printf 'a,b\n0.6,0.98\n0.04,-1.32\n-0.29,-1.18\n-0.78,-0.71\n-0.26,-0.42\n0.01,\n-0.28,\n1.29,\n' >holes.csv
try fit holes.csv --model gaussian --prior-rows 0 -o g.safetensors
try info g.safetensors | sed -n '/^columns/,/^seed/p'
echo "-- from a pipe, and where rows have no cell"
printf ',\n,\n' | cat holes.csv - >empty.csv
try fit empty.csv --model gaussian --prior-rows 0 -o e.safetensors
cat holes.csv | scorefield fit - --model gaussian --prior-rows 0 -q -o p.safetensors
try info p.safetensors | sed -n '/^columns/,/^seed/p'
try fit holes.csv --model mixture --components 1 -o m.safetensors
try fit holes.csv --model mixture --prior-rows 2 -o x.safetensors
echo "-- the log density of what is there; rows without any cell have none"
printf 'a,b\n0.2,-0.1\n,-0.1\n0.2,\n,\n' >points.csv
try eval g.safetensors points.csv -o l.csv
cut -c1-10 l.csv
try eval g.safetensors points.csv --want logpdf,score -o s.csv
echo "-- given a = 1, b is 0.772 +- 0.637: mean and spread of the regression on a"
try sample g.safetensors -n 40000 --given a=1 -o s.csv
awk -F, 'NR > 1 { n++; a += $1; s += $2; q += $2 * $2 } END {
    printf "a %g, b %.2f +- %.2f\n", a / n, s / n, sqrt(q / n - (s / n) ^ 2) }' s.csv
try sample g.safetensors -n 3 --given 'a>0.5' --given 'b in 0:1' -o s.csv --json | numbers
awk -F, 'NR > 1 { print ($1 > 0.5 && $2 > 0 && $2 < 1) }' s.csv
echo "-- what cannot be given"
try sample g.safetensors -n 3 --given 'a>50' -o s.csv
try sample g.safetensors -n 3 --given 'a>1' --given 'a<0' -o s.csv
try sample g.safetensors -n 3 --given 'c>1' -o s.csv
try sample g.safetensors -n 3 --given 'a=1' --given 'b=1' -o s.csv
try sample g.safetensors -n 3 --given 'a=1' --method flow -o s.csv
try sample "$corpus/model/network.safetensors" -n 3 --given 'waiting=70' -o s.csv
echo "-- data sets under normal noise are mixtures too"
scorefield fit "$data/faithful.csv" --model empirical --kernel mvgaussian -q -o e.safetensors
try sample e.safetensors -n 2000 --given 'waiting>80' -o s.csv
awk -F, 'NR > 1 { n++; s += $1; low = low || $2 < 80 } END { printf "%.1f %d\n", s / n, low }' s.csv
printf 'eruptions,waiting\n,80\n4.3,\n' >points.csv
scorefield eval e.safetensors points.csv -q -o - | cut -c1-8
scorefield impute e.safetensors points.csv -q -o - | cut -c1-6
scorefield fit "$data/faithful.csv" --model empirical --kernel laplace -q -o l.safetensors
try sample l.safetensors -n 3 --given 'waiting>80' -o s.csv
echo "-- data sets with missing cells, under kernels of one column each: known answers"
printf 'a,b,c\n0.0,1.0,x\n1.0,,x\n,2.5,y\n2.2,3.0,y\n1.7,0.4,\n,,\n' >rows.csv
kernels='a=gaussian:sigma=2,path=ve; b=gaussian:sigma=3.5,path=ve; c=category:prior=uniform'
try fit rows.csv --model empirical --kernel "$kernels" --bandwidth 0.2 -o h.safetensors | grep -v seconds
printf 'a,b,c\n0.5,1.5,x\n1.9,2.0,y\n0.5,,x\n,,y\n1.0,2.0,\n' >points.csv
scorefield eval h.safetensors points.csv -q -o - | cut -c1-12
sed -n 1,3p points.csv >whole.csv
scorefield eval h.safetensors whole.csv --want logpdf,posterior -q -o - | sed -E 's/(\.[0-9]{10})[0-9]*/\1/g'
printf 'a,b,c\n1.5,,\n,,y\n' >query.csv
scorefield impute h.safetensors query.csv -q --spread spread.csv --with mean -o - | sed -E 's/(\.[0-9]{10})[0-9]*/\1/g'
sed -E 's/(\.[0-9]{10})[0-9]*/\1/g' spread.csv
scorefield impute h.safetensors query.csv -q --with draw --seed 2 -o -
echo "-- sets, ranges, and their probability"
try sample h.safetensors -n 3 --given 'a>1.2' -o s.csv
try sample h.safetensors -n 3 --given 'c in y, x' --given c=y -o s.csv
cut -d, -f3 s.csv
try sample h.safetensors -n 3 --given 'c=y' --given 'a=1' --given 'b in 0:1' -o s.csv
awk -F, 'NR > 1 { print $1, ($2 >= 0 && $2 <= 1), $3 }' s.csv
for bad in c=z 'c>x' 'c in' 'c in x,' 'c in x:y' 'a in x,y' 'd=1' 'a>1e3'; do
    try sample h.safetensors -n 3 --given "$bad" -o s.csv
done
try sample h.safetensors -n 3 --given c=x --given c=y -o s.csv
echo "-- draws have no missing cells; what there is not"
scorefield sample h.safetensors -n 1000 -q -o s.csv && grep -c ',,\|^,\|,$' s.csv
try sample h.safetensors -n 3 --method stratified -o s.csv
try sample h.safetensors -n 3 --method posterior -o s.csv
try sample h.safetensors -n 3 --method flow -o s.csv
try eval h.safetensors whole.csv --time 0.5 -o s.csv
try fit rows.csv --model empirical --bandwidth adaptive -o x.safetensors -q
try fit rows.csv --model empirical --kernel laplace --columns a,b --bandwidth 0.5 -o x.safetensors
try fit rows.csv --model empirical --complete-rows --bandwidth 0.5 -o x.safetensors

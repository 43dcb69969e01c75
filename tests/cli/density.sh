# Densities typed as text: chains, their diagnostics, what is refused.
# Columns of draws beside what is known of them, in standard errors of 4000 draws of
# which a quarter is effective.
near() {
    awk -F, -v want="$1" '
        NR == 1 { split(want, w, " "); next }
        { for (i = 3; i <= NF; i++) { s[i] += $i; q[i] += $i * $i } }
        END { for (i = 3; i <= NF; i++) {
                  m = s[i] / (NR - 1); sd = sqrt(q[i] / (NR - 1) - m * m)
                  off = (m - w[2 * i - 5]) / (w[2 * i - 4] / 32)
                  wide = (sd / w[2 * i - 4] - 1) * 32
                  print (off < 0 ? -off : off) < 5, (wide < 0 ? -wide : wide) < 5 } }'
}
echo "-- the names in the text are its columns"
scorefield sample --density '-0.5*(x^2 + y^2 - x*y)/0.75' -n 4000 -q -o s.csv
head -1 s.csv
near '0 1 0 1' <s.csv
for method in hmc mala; do
    scorefield sample --density '-0.5*(x^2 + y^2 - x*y)/0.75' --method $method --seed 2 -n 8000 -q -o - | near '0 1 0 1'
done
echo "-- Langevin dynamics has a bias: here the variance is 1/(1 - h/4)"
scorefield sample --density '-a^2/2' --method ula --step 1 --chains 100 --warmup 50 --thin 5 -n 20000 -q -o - | near '0 1.1547'
scorefield sample --density '-a^2/2' --method lm --step 1 --chains 100 --warmup 50 --thin 5 -n 20000 -q -o - | near '0 1'
echo "-- a vector, a matrix from a table, domains"
printf 'a,b\n2,0\n0,0.5\n' >precision.csv
scorefield sample --density '-0.5*x*P*x' --dim 2 --param P=@precision.csv --metric dense -n 4000 -q -o - | near '0 0.70711 0 1.41421'
scorefield sample --density '(k-1)*log(rain) - r*rain' --param k=3 --param r=2 --columns rain --domain positive -n 4000 -q -o - | near '1.5 0.8660254'
scorefield sample --density 'log(x0) + 2*log(x1)' --dim 3 --domain simplex -n 4000 -q -o - | awk -F, 'NR > 1 && ($3 + $4 + $5 - 1)^2 > 1e-20 { bad++ } END { print bad + 0 }'
echo "-- the report"
scorefield sample --density '-x^2' -n 2000 --json -o s.csv 2>errors | tr ',' '\n' | sed -n 's/.*"\(rows\|method\|name\|chain\)":.*/\1/p' | sort | uniq -c
cat errors
echo "-- mass matrices: what was learnt, of four chains each"
for metric in auto diagonal lowrank dense unit; do
    scorefield sample --density '-0.5*(x^2 + y^2 - 1.8*x*y)/0.19' --metric $metric -n 4000 --json -o s.csv 2>errors | tr -d ' "' | grep -o 'metric:[a-z]*' | sort | uniq -c
    near '0 1 0 1' <s.csv
done
echo "-- the same draws for any number of threads, and for more chains"
scorefield sample --density '-x^2' -n 100 --chains 2 -j 1 -q -o one.csv 2>errors
scorefield sample --density '-x^2' -n 200 --chains 4 -j 2 -q -o two.csv 2>errors
head -101 two.csv | cmp - one.csv && echo same
scorefield sample --density '-x^2' -n 8 --chains 2 --trace t.npy -q -o s.npy
echo "-- warnings with their remedies"
try sample --density '-log(1 + x^2)' -n 40 -q -o s.csv | sed 's/[0-9.]* effective/N effective/; s/is [0-9.]*, want/is R, want/'
try sample --density '-0.5*(v/3)^2 - 0.5*y^2*exp(-v) - 0.5*v' -n 2000 --seed 4 -q -o s.csv | grep -o 'iterations diverged.*'
try sample --density '-x^2 - 1e6*y^2' --metric unit --max-treedepth 3 -n 200 -q -o s.csv | grep -o 'paths reached.*'
echo "-- what is refused"
try sample -n 3 -o s.csv
try sample --density '-x^2' -o s.csv
try sample --density '-x^2' model.safetensors -n 3 -o s.csv
try sample --density '-(x' -n 3 -o s.csv
try sample --density '-x^2 + q*x' --columns x -n 3 -o s.csv
try sample --density 'x*2' --dim 2 -n 3 -o s.csv
try sample --density '1' -n 3 -o s.csv
try sample --density '-x^2' --dim 2 --columns a -n 3 -o s.csv
try sample --density '-x^2' --domain 'x=half' -n 3 -o s.csv
try sample --density '-m*x^2' --param m -n 3 -o s.csv
try sample --density '-m*x^2' --param 'm=1,2;3' -n 3 -o s.csv
try sample --density '-m*x^2' --param m=@nowhere.csv -n 3 -o s.csv
try sample --density '-x^2' --method ula -n 3 -o s.csv
try sample --density '-x^2' --method ula --step 1 --max-treedepth 3 -n 3 -o s.csv
try sample --density '-x^2' --method flow -n 3 -o s.csv
try sample --density '-x^2' --churn 3 -n 3 -o s.csv
try sample model.safetensors --chains 3 -n 3 -o s.csv
try sample model.safetensors --method nuts -n 3 -o s.csv
try sample --density 'sqrt(x - 7)' -n 3 -o s.csv
try sample --density 'x' -n 3 -o s.csv | sed 's/iteration [0-9]*/iteration N/; s/chain [0-9]/chain N/'
ls s.csv
echo "-- draws without names: the first two columns are chain and draw"
scorefield sample --density '-(x^2 + y^2)' -n 40 --chains 2 -q -o d.npy 2>/dev/null
scorefield plot d.npy --chains -q -o chains.png && echo chains
scorefield plot --density '-(x^2 + y^2)' --range -3:3,-3:3 d.npy -q -o both.png && echo both
# What a user gets wrong.
echo "-- names, domains and parameters that do not fit"
try sample --density '-x^2/s^2' --param sgima=2 --columns x -n 3 -o t.csv
try sample --density '-x^2' --param m=2 --chains 1 -n 3 -q -o t.csv
try sample --density '-x^2' --domain 'y=positive' -n 3 -o t.csv
try sample --density '-x^2' --domain 'x=2:1' -n 3 -o t.csv
try sample --density '-x^2' --domain simplex -n 3 -o t.csv
try sample --density '-m*x^2' --param m= -n 3 -o t.csv
try sample --density '-m*x^2' --param m=1 --param m=2 -n 3 -o t.csv
try sample --density '-0.5*x*P*x' --dim 2 --param P=1,2,3 -n 3 -o t.csv
echo "-- numbers and options that do not fit"
try sample --density '-x^2' -n 0 -o t.csv
try sample --density '-x^2' --chains 1 -n 1 -q -o t.csv
try sample --density '-x^2' --max-temperature 4 -n 3 -o u.csv
try sample --density '-x^2' --method hmc --max-treedepth 4 -n 3 -o u.csv
try sample --density '-x^2' --method ula --step 0.1 --temperatures 4 -n 3 -o u.csv
echo "-- folders that are not there are found before the work"
try sample --density '-x^2' -n 1000000000 -o nowhere/u.csv
try sample --density '-x^2' -n 1000000000 -o u.csv --trace nowhere/t.npy
try sample --density '-x^2' -n 3 -o s.csv/u.csv
try plot --density '-x^2' -o nowhere/p.png
echo "-- no number, no gradient, no integral"
try sample --density '-norm(x)' --dim 2 --method ula --step 0.1 -n 3 -o u.csv
try sample --density '-sqrt(x)' -n 400 -q -o t.csv | grep -o 'iterations came.*'
try sample --density '-log(x)' --domain positive -n 400 -q -o t.csv | grep -o 'reach [0-9].*'
try sample --density '-(x-y)^2' -n 400 -q -o t.csv | grep -o 'no finite integral'
try plot --density 'x^2' -q -o p.png | sed 's/is [0-9.]*;/is R;/'
[ -e u.csv ] || echo none
echo "-- what cannot be fitted"
awk 'BEGIN { print "x"; for (i = 0; i < 99; i++) print (i - 40.5) / 20 }' >t.csv
try fit t.csv --density '-abs(x - m)/b' --param m --param 'b>0' -o f.safetensors | sed 's/rows [0-9]* and [0-9]*/rows I and J/; s/= [-0-9.e]*/= X/'
try fit t.csv --density 'a*log(x) - x' --param a -o f.safetensors
try fit t.csv --density '-a*x^2' --param a --boundary-weight 'd^2' -o f.safetensors
try fit t.csv --density '-a*x^2' --param a --slices 257 -o f.safetensors
try fit t.csv --density '-a*x^2' --param a -o nowhere/f.safetensors
try fit t.csv --slices 3 -o f.safetensors
[ -e f.safetensors ] || echo none
try fit t.csv --density '-a*x^2' --param a --slices 2 -q -o f.safetensors
try eval f.safetensors t.csv --want velocity -o e.csv
echo "-- a text at the points of a table"
printf 'b,z,a\n2,9,1\n0,9,0\n' >points.csv
scorefield eval --density '-0.5*x*P*x' --columns a,b --param 'P=1,0.5;0.5,1' points.csv --want score,logpdf -q -o -
printf 'z\n1\n-2\n' >signs.csv
scorefield eval --density '(k-1)*log(z)-z' --param k=3 --domain positive signs.csv --want logpdf,score -q -o -
try eval --density '-a^2' points.csv -o e.csv | numbers
try eval --density '-q^2' points.csv -o e.csv
try eval --density '-a^2' points.csv signs.csv -o e.csv
try eval --density '-a^2' --time 0.5 points.csv -o e.csv
try eval --dim 3 points.csv signs.csv -o e.csv
try eval points.csv -o e.csv
echo "-- walkers that cool while they warm up find a part that they would not reach; and are cold then"
far() {
    awk -F, 'NR > 1 { if ($3 > 2.5) { c++; q += ($3 - 5) ^ 2 } }
        END { print (c / (NR - 1) > 0.4), (c > 0 && sqrt(q / c) > 0.46 && sqrt(q / c) < 0.56) }'
}
parts='log(0.1*exp(-2*x^2) + 0.9*exp(-2*(x - 5)^2))'
for method in ula lm; do
    scorefield sample --density "$parts" --method $method --step 0.05 --chains 500 --warmup 3000 --thin 10 -n 2000 -q -o - 2>errors | far
    scorefield sample --density "$parts" --method $method --step 0.05 --max-temperature 30 --chains 500 --warmup 3000 --thin 10 -n 2000 -q -o - 2>errors | far
done
echo "-- draws as an array: chain and draw are no numbers of the density"
for form in csv npy; do
    scorefield sample --density '-x^2 - y^2' --chains 2 -n 6 -q -o drawn.$form 2>errors
    scorefield eval --density '-x^2 - y^2' --want score -q -o at_$form.csv drawn.$form
done
cmp at_csv.csv at_npy.csv && wc -l <at_npy.csv
echo "-- what runs away, and a name that hides the vector"
try sample --density 'x^2' --method ula --step 0.5 --chains 1 --warmup 0 -n 4000 -q -o gone.csv
try sample --density '-0.5*x*P*x' --columns x,y --param 'P=1,0;0,1' -n 4 -q -o gone.csv
ls gone.csv 2>&1

# The data itself as a model.
# Numbers to 9 digits: the last ones depend on the machine.
short() {
    awk -F, -v OFS=, 'NR > 1 { for (i = 1; i <= NF; i++) $i = sprintf("%.9g", $i) } { print }'
}
try fit "$data/faithful.csv" --model empirical -o a.safetensors | numbers
scorefield info a.safetensors | blur
echo "-- numbers of kernels are not rescaled; points at any time"
printf 'c\n0.3\n1.2\n4\n' >three.csv
scorefield fit three.csv --model empirical --kernel gamma:shape=1,mean=1.5 --bandwidth 0.01 -q -o g.safetensors
printf 'c\n0.9\n' >x.csv
scorefield eval g.safetensors x.csv --time 0.4 --want logpdf,score,velocity,divergence,jacobian,denoised,posterior,stability -q -o - | short
echo "-- weights"
printf 'c,w\n0.3,2\n1.2,5\n4,3\n' >weighted.csv
scorefield fit weighted.csv --model empirical --weights w --kernel gamma:shape=1,mean=1.5 --bandwidth 0.01 -q -o w.safetensors
scorefield eval w.safetensors x.csv --time 0.4 -q -o - | short
echo "-- a column each"
scorefield fit "$data/iris.csv" --model empirical --columns petal_length_cm,petal_width_cm \
    --kernel 'petal_length_cm=gamma; petal_width_cm = student:nu=5' -q -o two.safetensors
scorefield info two.safetensors | grep kernel -A 3 | head -4
echo "-- a time for each row"
try fit "$data/faithful.csv" --model empirical --kernel gaussian --bandwidth adaptive --json -q -o b.safetensors | numbers | tr ',' '\n' | grep -E 'neigh|least|most'
echo "-- exact draws: the first rows are those of a longer sample"
for method in direct stratified posterior flow sde; do
    scorefield sample a.safetensors --method $method -n 5 -q -o five.csv
    scorefield sample a.safetensors --method $method -n 50 -q -o fifty.csv
    head -6 fifty.csv | cmp - five.csv && echo $method
done
echo "-- the clean points"
try denoise g.safetensors x.csv --time 0.4 -o clean.csv | blur
short <clean.csv
scorefield denoise g.safetensors x.csv --time 0.4 --draw --seed 3 -q -o -
try denoise g.safetensors x.csv -o clean.csv
try denoise "$corpus/model/gaussian.safetensors" "$data/faithful.csv" --sigma 0.5 --draw -o clean.csv
scorefield denoise "$corpus/model/gaussian.safetensors" "$data/faithful.csv" --sigma 0.5 -q -o - | head -2 | short
echo "-- points that are data"
try eval a.safetensors "$data/faithful.csv" -o e.csv | numbers
echo "-- what is refused"
printf 'c\n1\n0\n' >zero.csv
try fit zero.csv --model empirical --kernel gamma -o x.safetensors
printf 'c\n0.5\n1\n' >one.csv
try fit one.csv --model empirical --kernel beta -o x.safetensors
try fit three.csv --model empirical --kernel gama -o x.safetensors
try fit three.csv --model empirical --kernel 'd=gamma' -o x.safetensors
try fit three.csv --model empirical --kernel gamma:shape=-1 -o x.safetensors
try fit three.csv --model empirical --bandwidth wide -o x.safetensors
try fit three.csv --model empirical --bandwidth 0 -o x.safetensors
try fit three.csv --model gaussian --kernel gamma -o x.safetensors
try fit three.csv --model empirical --steps 3 -o x.safetensors
try fit weighted.csv --model empirical --weights w --columns c,w -o x.safetensors
try fit weighted.csv --model empirical --weights v -o x.safetensors
printf 'c\n-1\n' >negative.csv
try eval g.safetensors negative.csv -o x.csv
echo "-- times below the least noise are answered at that, and said"
printf 'c\n3\n' >three.csv
try eval g.safetensors three.csv --time 0.001 --want logpdf,denoised,velocity -o x.csv
try denoise g.safetensors three.csv --time 0.001 -o x.csv
try eval g.safetensors three.csv --want logpdf -q --json -o x.csv
try sample g.safetensors --steps 5 -n 3 -o x.csv
scorefield sample g.safetensors -n 3 --seed 4 -q --json -o auto.csv 2>&1 | grep -o '"method": *"[a-z]*"'
scorefield sample g.safetensors -n 3 --seed 4 --method direct -q -o direct.csv
cmp auto.csv direct.csv
try sample "$corpus/model/gaussian.safetensors" --method direct -n 3 -o x.csv
ls x.safetensors 2>&1
echo "-- a network with the noise of kernels"
awk 'BEGIN { print "share"; for (i = 0; i < 200; i++) print (i % 3 + 1) / 5 }' >shares.csv
scorefield fit shares.csv --model network --kernel beta --hidden 16x2 --steps 30 --checkpoint run.safetensors -q -o n.safetensors
scorefield info n.safetensors | grep -A 2 '^columns'
scorefield sample n.safetensors -n 3 -q -o - | wc -l
scorefield fit shares.csv --resume run.safetensors --model network -q -o m.safetensors && cmp n.safetensors m.safetensors | cut -c1-20
try fit shares.csv --resume run.safetensors --model network --kernel gaussian -o m.safetensors
try fit shares.csv --model network --kernel gaussian:path=ve -o m.safetensors
echo "-- counts"
printf 'n\n0\n2\n7\n15\n' >counts.csv
scorefield fit counts.csv --model empirical --kernel binomial --bandwidth 0.001 -q -o c.safetensors
scorefield sample c.safetensors --method jumps -n 6 -q -o -
scorefield sample c.safetensors --method tauleap -n 3 -q -o - | wc -l
printf 'n\n3\n' >three_of_them.csv
scorefield eval c.safetensors three_of_them.csv --time 0.4 --want logpdf,denoised -q -o - | short
try eval c.safetensors three_of_them.csv --want score -o x.csv
try sample c.safetensors -n 3 -o x.csv
try fit counts.csv --model empirical --kernel binomial -o x.safetensors

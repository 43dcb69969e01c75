# The law at time 1 as a share of the law of a data set.
# Numbers to 9 digits: the last ones depend on the machine.
short() {
    awk -F, -v OFS=, 'NR > 1 { for (i = 1; i <= NF; i++) $i = sprintf("%.9g", $i) } { print }'
}
printf 'lat,lon\n48.9,2.3\n48.1,11.6\n52.5,13.4\n50.8,4.4\n47.4,8.5\n52.4,4.9\n48.2,16.4\n50.1,14.4\n' >cities.csv
printf 'lat,lon\n50,10\n-50,-170\n' >at.csv
echo "-- a tenth of it is anywhere: far away there is ln(1/(40 pi)) left"
try fit cities.csv --model empirical --kernel 'lat,lon=vmf:kappa=1' --bandwidth 0.05 --floor 0.1 -o m.safetensors | blur
scorefield eval m.safetensors at.csv --want logpdf,denoised,posterior -q -o - | short
scorefield fit cities.csv --model empirical --kernel 'lat,lon=vmf:kappa=1' --bandwidth 0.05 --floor 0 -q -o z.safetensors
scorefield eval z.safetensors at.csv -q -o - | short
echo "-- as much as the rows left out want: one of nine is far from all others"
(cat cities.csv; echo -33.9,151.2) >more.csv
scorefield fit more.csv --model empirical --kernel 'lat,lon=vmf:kappa=1' --floor auto --json -q -o a.safetensors | grep -o '"floor":0\.1'
scorefield fit cities.csv --model empirical --kernel 'lat,lon=vmf:kappa=1' --floor auto --json -q -o a.safetensors | grep -c '"floor"'
echo "-- what is refused"
refused() { try fit "$@" -q -o x.safetensors; }
refused cities.csv --model empirical --floor 1
refused cities.csv --model empirical --floor -0.1
refused cities.csv --model empirical --floor some
refused cities.csv --model empirical --floor 0.1x
refused cities.csv --model empirical --kernel vmf --bandwidth 0.05 --floor auto
refused cities.csv --model empirical --kernel gaussian:path=ve --floor 0.1
refused cities.csv --model gaussian --floor 0.1
refused cities.csv --model network --floor 0.1
printf 'n\n0\n2\n7\n15\n' >counts.csv
refused counts.csv --model empirical --kernel poisson --bandwidth 0.1 --floor 0.1
ls x.safetensors 2>&1

# Kernels of several columns: directions and shares.
# Numbers to 9 digits: the last ones depend on the machine.
short() {
    awk -F, -v OFS=, 'NR > 1 { for (i = 1; i <= NF; i++) $i = sprintf("%.9g", $i) } { print }'
}
echo "-- places in degrees, whose columns are apart and turned round"
printf 'lon,depth,lat\n2.3,10,48.9\n151.2,33,-33.9\n139.7,600,35.7\n-70.6,110,-33.4\n' >quakes.csv
try fit quakes.csv --model empirical --kernel 'lat,lon=vmf; depth=gamma' --bandwidth 0.1 -o q.safetensors | blur
scorefield info q.safetensors | grep -A 4 '^columns'
scorefield info q.safetensors --json | grep -o '"kernel":"vmf:kappa=1","joint":[^}]*' | head -1
printf 'lon,depth,lat\n100,50,20\n-179,300,-60\n' >at.csv
scorefield eval q.safetensors at.csv --time 0.5 --want logpdf,score,velocity,divergence -q -o - | short
scorefield eval q.safetensors at.csv --time 0.5 --want denoised,jacobian,posterior,stability -q -o - | short
scorefield denoise q.safetensors at.csv --time 0.5 -q -o - | short
scorefield denoise q.safetensors at.csv --time 0.5 --draw --seed 3 -q -o -
scorefield sample q.safetensors --method direct -n 3 -q -o - | short
for method in stratified posterior flow sde pc annealed langevin; do
    [ $method = stratified ] && steps= || steps='--steps 8'
    scorefield sample q.safetensors --method $method $steps -n 40 -q -o - | awk -F, -v m=$method '
        NR > 1 && ($1 < -180 || $1 > 180 || $3 < -90 || $3 > 90 || $2 <= 0) { bad++ }
        END { print m, NR - 1 " rows", bad + 0 " off the sphere" }'
done
echo "-- the same directions as vectors have the same density"
printf 'lat,lon\n48.9,2.3\n-33.9,151.2\n' >two.csv
awk -F, 'NR == 1 { print "x,y,z"; next } { d = atan2(0, -1) / 180
    printf "%.17g,%.17g,%.17g\n", cos(d*$1)*cos(d*$2), cos(d*$1)*sin(d*$2), sin(d*$1) }' two.csv >three.csv
for name in two three; do
    scorefield fit $name.csv --model empirical --kernel vmf:kappa=2 --bandwidth 0.1 -q -o m.safetensors
    scorefield eval m.safetensors $name.csv --time 0.5 -q -o - 2>warning | short
done
echo "-- shares in percent"
printf 'sand,silt,clay\n20,30,50\n60,30,10\n10,20,70\n35,45,20\n' >soil.csv
scorefield fit soil.csv --model empirical --kernel dirichlet --bandwidth 0.1 -q -o s.safetensors
scorefield info s.safetensors | grep -A 4 '^columns'
printf 'sand,silt,clay\n30,30,40\n5,5,90\n' >some.csv
scorefield eval s.safetensors some.csv --time 0.5 --want logpdf,score,velocity,divergence -q -o - | short
scorefield eval s.safetensors some.csv --time 0.5 --want denoised,jacobian,stability -q -o - | short
scorefield denoise s.safetensors some.csv --time 0.5 -q -o - | short
scorefield sample s.safetensors --method direct -n 3 -q -o - | short
for method in posterior flow sde; do
    scorefield sample s.safetensors --method $method --steps 8 -n 40 -q -o - | awk -F, -v m=$method '
        NR > 1 { gap = $1 + $2 + $3 - 100; bad += gap * gap > 1e-20 || $1 < 0 || $2 < 0 || $3 < 0 }
        END { print m, NR - 1 " rows", bad + 0 " that are no shares" }'
done
echo "-- noise that is correlated as the columns are"
scorefield fit "$data/faithful.csv" --model empirical --kernel mvgaussian --bandwidth 0.2 -q -o f.safetensors
scorefield info f.safetensors | grep -A 3 '^columns'
scorefield eval f.safetensors "$data/faithful.csv" --time 0.5 --want logpdf,score -q -o - 2>warning | head -3 | short
echo "-- a network"
awk 'BEGIN { print "lat,lon"; for (i = 0; i < 200; i++) print 10 + i % 7 "," 170 + i % 19 }' >many.csv
scorefield fit many.csv --model network --kernel vmf --hidden 16x2 --steps 30 -q -o n.safetensors
scorefield info n.safetensors | grep -A 3 '^columns'
scorefield sample n.safetensors -n 50 -q -o - | awk -F, '
    NR > 1 && ($1 < -90 || $1 > 90 || $2 < -180 || $2 > 180) { bad++ }
    END { print NR - 1 " rows", bad + 0 " off the sphere" }'
echo "-- what is refused"
refused() { try fit "$@" -q -o x.safetensors; }
refused two.csv --model empirical --kernel 'lat=vmf; lon=vonmises'
refused two.csv --model empirical --kernel 'lat,lon=gamma'
refused two.csv --model empirical --kernel 'lat,long=vmf'
refused two.csv --model empirical --kernel 'lat,lon=vmf; lat=gaussian'
refused two.csv --model empirical --kernel 'lon=vmf:kappa=2'
refused two.csv --model empirical --kernel 'lat,lon=vmf:kapa=2'
refused two.csv --model empirical --kernel 'lon,lat=vmf'
refused two.csv --model empirical --kernel 'lat=gaussian; lon=vonmises'
refused soil.csv --model empirical --kernel vmf
refused soil.csv --model empirical --kernel dirichlet:alpha=1
refused soil.csv --model empirical --kernel mvgaussian
printf 'a,b\n0.3,0.7\n1,0\n' >zero.csv
refused zero.csv --model empirical --kernel dirichlet
printf 'a,b\n0.3,0.7\n0.5,0.6\n' >sum.csv
refused sum.csv --model empirical --kernel dirichlet:alpha=1
printf 'lon,depth,lat\n0,1,95\n' >north.csv
try eval q.safetensors north.csv -q -o x.csv
printf 'sand,silt,clay\n30,30,60\n' >much.csv
try eval s.safetensors much.csv -q -o x.csv
ls x.safetensors x.csv 2>&1

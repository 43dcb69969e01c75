# Actions: explained, solved, followed, verified, and what is refused.
if scorefield info x.nc 2>&1 | grep -q 'has no NetCDF'; then
    cat "$here/actions.out"
    exit
fi
cp "$data"/charge.ini "$data"/drum.ini "$data"/plate.ini .
quiet() { try "$@" | sed -E 's/^seconds .*/seconds #/; s/^(residual|drift of energy) .*/\1 #/'; }
try explain drum.ini
try explain charge.ini --tex
try explain --grid 'r = 1:2:9 pin 1; theta = 0:3:9' --energy 'sqrt(1 + grad2(phi)) + phi^4'
try explain --grid 'x = 0:1:9' --energy 'dx(a)*dx(b) + a*b^2' --field 'a = 0' --field 'b = 1'
# Equations of any length are there to their ends, and so is what was typed.
long=$(seq -s ' + ' -f 'sin(%g.5*x*a)*b' 1 200)
scorefield explain --grid 'x = 0:1:9' --energy "grad2(a) + grad2(b) + $long" \
    --field 'a = 0' --field 'b = 0' | sed -n 's/^equation //p' | tr ';' '\n' |
    sed -E 's/^ *(.{20}).*(.{20})$/\1 ... \2/'
scorefield solve --grid 'x = 0:1:9 pin 0' --energy "grad2(phi)$(seq -s ' ' -f '+ %g*phi' 1 600)" -o long.nc -q
tr -c '[:print:]' '\n' <long.nc | grep -o -- '+ 600\*phi. -o long.nc -q'
quiet solve charge.ini -o charge.nc
quiet flow plate.ini -o plate.nc
quiet evolve drum.ini -o drum.nc
try info drum.nc
quiet solve --grid 'x = 0:1:17 pin 0, flux 1; y = 0:1:9' --energy '0.5*grad2(phi)' -o tilt.nc
quiet solve --grid 'x = -0.6:0.6:17 pin log(cos(y)/cos(x)); y = -0.6:0.6:17 pin log(cos(y)/cos(x))' \
    --energy 'sqrt(1 + grad2(phi))' -o film.nc
quiet solve "$data/ball.ini" -o ball.nc
try explain "$data/ball.ini" | tail -n 3
# Sides of single fields, boundary terms, a disc with its centre.
set -- --grid 'r = 0:1:17; theta = 0:6.283185307179586:16 periodic' --field u=0 --field v=0 \
    --energy '0.5*grad2(u) + 0.5*grad2(v) + 0.5*(u - v)^2' --side 'u r+ = pin 1' \
    --boundary 'r+ = v^2 - cos(theta)*v'
try explain "$@"
quiet solve "$@" -o two.nc
try verify "$@" --exact 'r*cos(theta)' --exact '1 + r^2' | sed -E '/^ +[0-9n]+ /s/ +[^ ]+$//'
try calc 'axis = phi[x=0, y=0]' ball.nc -o at.nc | sed 's/^seconds .*/seconds #/'
try verify --grid 'x = -2:2:65 open; y = -2:2:65 open' --energy '0.5*grad2(phi)' \
    --exact 'exp(-8*(x^2+y^2))' | sed -E 's/ +[^ ]+$//'
try verify charge.ini --exact 'sin(3*x)*exp(y)' | sed -E 's/ +[^ ]+$//'
sed 's/:64/:16/' "$data/thermal.ini" >thermal.ini
try sample thermal.ini -n 8 --warmup 50 --chains 2 -o thermal.nc | sed -nE '/^(unknowns|draws|temperature|method|coordinates|  name|  mean )/s/ .*//p'
try sample thermal.ini -n 3 --warmup 20 --method ula --step 0.01 --chains 1 --temperature 2 -q -o thermal.pvd
ls thermal_0002.vti
printf 'x\n-1.2\n-0.4\n0.3\n0.35\n1.9\n' >points.csv
printf '%s\n' '[grid]' 'x = -8:8:512 periodic' '[field]' 'p = deposit(points.csv)' \
    '[action]' 'energy = 0.25*grad2(p)' '[motion]' 'until = 0.25' >heat.ini
quiet flow heat.ini -o heat.nc
try calc 'mean = integral(p[t=0.25]*x, x)' heat.nc -o at.nc | sed 's/^seconds .*/seconds #/'
echo "-- what is refused"
for to in 'points.csv, x=y' 'points.csv, y=x' 'points.csv, x' 'nowhere.csv'; do
    sed "s/points.csv/$to/" heat.ini >heat1.ini
    try flow heat1.ini -o x.nc
done
sed 's/-8:8:512 periodic/-1:1:512/' heat.ini >heat1.ini
try flow heat1.ini -o x.nc
try sample thermal.ini -n 4 --temperature 0 -o x.nc
try sample thermal.ini -n 4 --given 'a=1' -o x.nc
try sample thermal.ini -n 4 --method flow -o x.nc
try sample charge.ini -n 4 -o x.nc
try sample thermal.ini -n 4 -o x.csv
try solve --grid 'x = 0:1:9' --energy '0.5*grad2(phi) - phi' -o x.nc
try solve --grid 'x = 0:1:9' --energy 'dx(dx(phi))*phi' -o x.nc
try solve --grid 'x = 0:1:9' -o x.nc
try solve --grid 'r = 1:2:9 open; theta = 0:1:5' --energy 'grad2(phi)' -o x.nc
try solve --grid 'x = 0:1:9 open; y = 0:1:9 open, pin 0' --energy 'grad2(phi) - phi' -o x.nc
try flow --grid 'x = 0:1:9 open' --energy 'grad2(phi) - phi' --until 1 -o x.nc
try solve charge.ini --grid 'x = 0:1:9' -o x.nc
try evolve charge.ini --until 1 -o x.nc
try evolve drum.ini --step 1 -o x.nc
try evolve drum.ini --every 0.3 -o x.nc
try flow --grid 'x = 0:1:9' --energy 'grad2(phi)' -o x.nc
sed 's/rho = /rho == /' charge.ini >bad1.ini
sed 's/\[solver\]/[solvers]/' charge.ini >bad2.ini
sed 's/tolerance/tolerence/' charge.ini >bad3.ini
sed 's/pin 0/pin 1\/(x-0.5)/' charge.ini >bad4.ini
sed '/energy/d' charge.ini >bad5.ini
sed 's/- rho\*phi/- rh*phi/' charge.ini >bad6.ini
sed 's/^y = .*/y = 0:1:65 natural, pinned 0/' charge.ini >bad7.ini
sed 's/^y = .*/y = 0:1:65 robin 1, 2*foo/' charge.ini >bad8.ini
printf '[sides]\nphi x- = pin 3 + zz\n' | cat charge.ini - >bad9.ini
printf '[sides]\nphi = pin 3\n' | cat charge.ini - >bad10.ini
sed 's/pin 0/natural/' charge.ini | cat - <(printf '[boundary]\nx- = phi^2 +\n  (foo\n') >bad11.ini
for i in 1 2 3 4 5 6 7 8 9 10 11; do try solve bad$i.ini -o x.nc; done
try solve nowhere.ini -o x.nc
ls x.nc 2>/dev/null || true

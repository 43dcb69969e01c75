# Maxwell's equations of a form: what is written and reported, and what is refused.
if scorefield info x.nc 2>&1 | grep -q 'has no NetCDF'; then
    cat "$here/maxwell.out"
    exit
fi
cp "$data"/antenna.ini .
# What holds to rounding does; its last digits are the machine's.
quiet() {
    try "$@" | sed -E 's/^seconds .*/seconds #/; s/^residual  .*/residual #/
        s/^(residual of gauss law|divergence of b) +([0-9.]+e-1[2-9]|0)$/\1 rounding/'
}
try explain antenna.ini
sed -i 's/:121 /:31 /; s/:81 /:21 /' antenna.ini
quiet evolve antenna.ini --every 1 -o antenna.nc
try info antenna.nc | sed -E 's/ -?[0-9.]+e-1[5-9]/        ~0/g'
quiet evolve antenna.ini --collocate --every 0.5 -o antenna.pvd
ls antenna*.vti
cat >charged.ini <<'END'
[grid]
x = 0:1:17 pin 0
y = 0:1:17 natural
[field]
form A = 1
charge = delta(x-0.5, y-0.5)
E_z = sin(pi*x)
[constants]
eps = 2
[action]
lagrangian = 0.5*eps*dt(A)^2 - 0.5*curl2(A)
[motion]
until = 0.5 ; conductivity = 0.1*(x < 0.5)
END
quiet evolve charged.ini -o charged.nc
try info charged.nc | grep '  [EB]_' | sed -E 's/ -?[0-9.]+e-1[5-9]/ ~0/g'
# At rest, between two wires.
problem() { printf '%s\n' '[grid]' "$1" '[field]' 'form A = 1' "${4-}" '[source]' "$2" '[action]' "$3"; }
problem 'x = -2:2:17 pin 0 ; y = -2:2:17 pin 0' 'J = delta(x+0.5, y) - delta(x-0.5, y)' \
    'energy = 0.5*curl2(A) - J*A_z' >wires.ini
quiet solve wires.ini -o wires.nc
quiet solve wires.ini --collocate -o wires.vti
problem 'x = -2:2:17' 'J = exp(-x^2)' 'energy = 0.5*curl2(A) - J*A_x' >open.ini
try solve open.ini -o x.nc
quiet solve open.ini --project -o open.nc
# Refusals.
try evolve antenna.ini -o x.pvd
try flow antenna.ini -o x.nc
try verify wires.ini --exact x --exact y --exact 0
try sample wires.ini -n 5 --temperature 1 -o x.nc
try evolve "$data"/drum.ini --collocate -o x.nc
for field in 'A_w = 1' 'form B = 1' 'form A = 2' 'A_x = field.nc' 'E_x = 1/(x-0.4375)'; do
    problem 'x = 0:1:9' 'J = 1' 'lagrangian = 0.5*dt(A)^2 - 0.5*curl2(A)' "$field" >bad.ini
    try evolve bad.ini --until 1 -o x.nc
done

# Latent points through typed decoders: what is wanted, in the order it is wanted.
quadratic='z0 + 0.3*z1^2; z1 + 0.2*z0*z1; z0^2 - 0.5*z1'
rounded() { python3 -c '
import csv, sys
rows = list(csv.reader(sys.stdin))
print(",".join(rows[0]))
for row in rows[1:]:
    print(",".join("%.6g" % (0 if abs(float(x)) < 1e-6 else float(x)) if x else x for x in row))'; }
latent() { scorefield latent "$@" -q -o - | rounded; }
printf 'a,b,c\n1.2,-0.7,0.9\n-0.4,0.8,0.1\n0.3,0.25,-0.6\n' >x.csv
latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 0.5
echo "-- the residual is orthogonal in the product of the inverse covariance alone"
latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 0.5,1,2 --prior none \
    --want tangential,residual
echo "-- all of it"
all=z,score,tangential,residual,reconstruction,orthogonality,metric,hessian,volume
all=$all,principal,posterior,kind,focal,misfit,loglik,logjoint,laplace,contours
latent x.csv --decoder "$quadratic" --latent-dim 2 --want $all \
    --covariance '1, 0.3, 0.1; 0.3, 2, -0.4; 0.1, -0.4, 1.5'
latent x.csv --decoder "$quadratic" --latent-dim 2 --want logjoint,hessian,kind \
    --log-sigma '0.1*z0; -0.2*z1; 0.05*z0*z1'
echo "-- at given points"
printf 'u,a,b,c,v\n0.4,1.2,-0.7,0.9,-0.5\n0,-0.4,0.8,0.1,0.7\n' >at.csv
latent at.csv --decoder "$quadratic" --latent-dim 2 --at u,v --sigma 0.5 --want score,kind
try latent at.csv --decoder "$quadratic" --latent-dim 2 --at u,v --sigma 0.5 -o out.csv
echo "-- a linear decoder has an exact density"
linear='1.5*z0 + 0.5*z1 + 0.3; z1 - 0.2*z0; z0 + z1; 0.7*z1 - 1'
printf 'a,b,c,d\n0.5,-0.2,1.1,0.3\n2,0.4,-0.5,-1.2\n' >four.csv
latent four.csv --decoder "$linear" --latent-dim 2 --sigma 0.4,0.7,0.5,0.9 --want laplace,logpdf
scorefield latent four.csv --decoder "$linear" --latent-dim 2 --want logpdf -o out.csv --json |
    python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)))'
echo "-- some of the columns, whatever their order, and files without names"
printf 'note,c,b,a\nk,0.9,-0.7,1.2\n' >turned.csv
latent turned.csv --columns a,b,c --decoder "$quadratic" --latent-dim 2 --sigma 0.5
try latent turned.csv --decoder "$quadratic; z0" --latent-dim 2 -o out.csv
printf '1.2,-0.7,0.9\n-0.4,0.8,0.1\n' >bare.csv
latent bare.csv --decoder "$quadratic" --latent-dim 2 --sigma 0.5 --want residual
echo "-- the same for any number of threads"
for j in 1 3; do
    scorefield latent "$data/faithful.csv" --latent-dim 1 --decoder '3.5 + 1.2*tanh(2*z0); 71 + 14*z0' \
        --sigma 0.4,6 --want z,logpdf -j $j -q -o $j.csv
done
cmp 1.csv 3.csv && echo same
echo "-- rows far from the manifold, and rows that do not determine z"
printf 'a,b\n0.6,0.8\n0,0\n30,40\n' >circle.csv
try latent circle.csv --decoder '2*cos(z0); 2*sin(z0)' --latent-dim 1 --sigma 0.5 --prior none \
    --want z,kind,posterior -o out.csv | sed -E '/orthogonality|iterations/s/[0-9.e-]+$/#/'
echo "-- shortest curves"
sphere='sin(z0)*cos(z1); sin(z0)*sin(z1); cos(z0)'
scorefield latent --decoder "$sphere" --latent-dim 2 --geodesic 0.5,0.2:1.9,1.4 --segments 4 -q -o - | rounded
try latent --decoder "$sphere" --latent-dim 2 --geodesic 0.5,0.2:1.9,1.4 --segments 16 -o curve.csv | numbers
latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 0.5 --between 1,3 --segments 2
try latent x.csv --decoder "$quadratic" --latent-dim 2 --between 1,4 -o c.csv
try latent --decoder "$sphere" --latent-dim 2 --geodesic 1,2:3 -o c.csv
try latent --decoder "$sphere" --latent-dim 2 --geodesic 1,2 -o c.csv
try latent x.csv --decoder "$sphere" --latent-dim 2 --geodesic 1,2:2,2 -o c.csv
try latent --decoder "$sphere" --latent-dim 2 --geodesic 1,2:2,2 --want z -o c.csv
try latent --decoder "log(z0); z1" --latent-dim 2 --geodesic -1,2:2,2 -o c.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --segments 8 -o c.csv
try latent --decoder "$quadratic" --latent-dim 2 -o c.csv
echo "-- draws"
scorefield latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 0.5 --draws 8 --warmup 20 -q -o - | cut -d, -f1-3
try latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 0.5 --draws 400 -o d.csv | numbers
for j in 1 3; do
    scorefield latent x.csv --decoder "$quadratic" --latent-dim 2 --draws 40 -j $j -q -o $j.csv 2>warnings
done
cmp 1.csv 3.csv && echo same
try latent x.csv --decoder "$quadratic" --latent-dim 2 --draws 10 -o c.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --draws 8 --prior none -o c.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --draws 8 --want z -o c.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --chains 2 -o c.csv
echo "-- what is refused"
try latent x.csv --latent-dim 2 -o out.csv
try latent x.csv --decoder "$quadratic" -o out.csv
try latent x.csv --decoder "z0; z1; y" --latent-dim 2 -o out.csv
try latent x.csv --decoder "z0; z1" --latent-dim 2 -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 1,2 -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 1,0,1 -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 1,x -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --covariance '1,2,0; 2,1,0; 0,0,1' -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --covariance '1,2; 2,1' -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --covariance '1,2,0; 2,1; 0,0,1' -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma '1;1;1' -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --sigma 1 --log-sigma z0 -o out.csv
try latent x.csv --decoder "z0; z1; z2" --latent-dim 3 --prior none -o out.csv
try latent x.csv --decoder "z0; z1; z2" --latent-dim 4 --prior none -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --prior none --want logpdf -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --want z,zz -o out.csv
try latent x.csv --decoder "$quadratic" --latent-dim 2 --want z,z -o out.csv
try latent at.csv --decoder "$quadratic" --latent-dim 2 --at u -o out.csv
try latent x.csv --decoder "log(-1 - z0^2); z1; z0" --latent-dim 2 -o out.csv
printf 'a,b,c\n1.2,-0.7,0.9\n-0.4,,0.1\n' >hole.csv
try latent hole.csv --decoder "$quadratic" --latent-dim 2 -o out.csv
printf 'a,b,c\n1.2,-0.7,0.9\n-0.4,inf,0.1\n' >inf.csv
try latent inf.csv --decoder "$quadratic" --latent-dim 2 -o out.csv
ls out.csv

# Parameters of densities typed as text: fitted, kept, asked, drawn from.
short() {
    sed -E 's/([0-9]\.[0-9]{4})[0-9]*/\1/g; s/^(seconds|iterations|failed starts) .*/\1/'
}
echo "-- a normal law: mean and inverse covariance"
printf 'a,b\n0.3,-1.1\n1.7,0.4\n-0.6,-0.2\n2.1,1.5\n0.2,0.9\n' >pairs.csv
try fit pairs.csv --density '-0.5*x*M*x + b0*x' --param 'M[2,2]=symmetric' --param 'b0[2]' -o mvn.safetensors | short
try fit pairs.csv --density '-0.5*(x - mu)*M*(x - mu)' --param 'M[2,2]=symmetric' --param 'mu[2]' -o curved.safetensors | short
echo "-- rain: the moments of a gamma law"
printf 'day,rain\n1,0.2\n2,0.5\n3,1.1\n4,1.9\n5,0.7\n' >rain.csv
try fit rain.csv --density '(k-1)*log(rain) - r*rain' --param k=1 --param 'r>0' --objective general -o gamma.safetensors | short
scorefield fit rain.csv --density '(k-1)*log(rain) - r*rain' --param k=1 --param r=1 --domain rain=positive --json -q -o gamma.safetensors | tr ',' '\n' | grep -c '^"covariance\|"covariance"'
try fit rain.csv --density 'b*rain - a*rain^2/2' --param a=1 --param b --domain positive --boundary-weight d -q -o cut.safetensors
scorefield info cut.safetensors | sed -n '/^parameters/,/^command/p' | short | sed '/^command/d'
echo "-- what is kept answers"
scorefield info gamma.safetensors | sed -n '2,5p'
scorefield eval gamma.safetensors rain.csv --want logpdf,score -q -o - | short
scorefield sample gamma.safetensors -n 4000 -q -o - | awk -F, 'NR > 1 { s += $3 } END { m = s / (NR - 1); print (m > 0.83 && m < 0.93) }'
try eval gamma.safetensors rain.csv --want velocity -o -
try eval gamma.safetensors rain.csv --time 0.5 -o -
try sample gamma.safetensors --steps 3 -n 3 -o s.csv
try sample gamma.safetensors --param k=3 -n 3 -o s.csv
try denoise gamma.safetensors rain.csv -o s.csv
echo "-- numbers that may be 0: a chain of four columns"
awk 'BEGIN { s = 7; print "a,b,c,d"; for (i = 0; i < 400; i++) { for (j = 0; j < 4; j++) { g = 0; for (k = 0; k < 12; k++) { s = (s * 16807) % 2147483647; g += s / 2147483647 }; x[j] = g - 6 + (j > 0 ? 0.6 * x[j - 1] : 0) }; printf "%.6f,%.6f,%.6f,%.6f\n", x[0], x[1], x[2], x[3] } }' >chain.csv
try fit chain.csv --density '-0.5*x*K*x' --param 'K[4,4]=symmetric' --sparse K --lambdas 6 --lambda-ratio 0.01 -o chain.safetensors | short
scorefield fit chain.csv --density '-0.5*x*K*x' --param 'K[4,4]=symmetric' --sparse K --lambdas 3 -q --json -o chain.safetensors | tr -d ' \n' | grep -o '"supports".*'
scorefield info chain.safetensors | sed -n '2,5p'
try fit chain.csv --density '-0.5*x*K*x' --param 'K[4,4]=symmetric' --sparse M -o m.safetensors
try fit chain.csv --density '-0.5*x*K*x' --param 'K[4,4]=symmetric' --gamma 1 -o m.safetensors
try fit chain.csv --density '-0.5*x*K*x' --param 'K[4,4]=symmetric' --sparse K --starts 3 -o m.safetensors
try fit chain.csv --density '-0.5*x^2*s^2' --param 's[4]=1' --sparse s -o m.safetensors
try fit chain.csv --sparse K -o m.safetensors
echo "-- what is refused"
try fit rain.csv --density '-s*rain^2' -o m.safetensors
try fit rain.csv --density '-s*snow^2' --param s -o m.safetensors
try fit rain.csv --density '-(s + q)*rain^2' --param s=1 --param q=1 -o m.safetensors
try fit rain.csv --density '-s*log(rain' --param s -o m.safetensors
try fit rain.csv --density '-s*rain' --param s --domain rain=1: -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param 's=' -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param 's[2,2]=1,2,3' -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param 's[2]=eye' -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param 's>0=-1' -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param s --model network -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param s --steps 3 -o m.safetensors
try fit rain.csv --density '-s*rain^2' --param s --objective dsm -o m.safetensors
try fit rain.csv --param s -o m.safetensors
try fit rain.csv --objective general -o m.safetensors
ls m.safetensors 2>&1 | grep -c 'No such'
echo "-- the covariance of hundreds of numbers is not told, and nothing long is stored"
scorefield sample --density '-0.5*x*x' --dim 24 -n 600 -q -o many.csv 2>/dev/null
names=$(seq -f x%g -s, 0 23)
scorefield fit many.csv --columns $names --density '-0.5*x*K*x' --param 'K[24,24]=symmetric' --json -q -o many.safetensors >many.json && grep -c '"covariance"' many.json
scorefield fit many.csv --columns x0,x1 --density '-0.5*x*K*x' --param 'K[2,2]=symmetric' --json -q -o many.safetensors | grep -c '"covariance"'

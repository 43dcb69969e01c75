# A million rows, of which a gaussian needs a block at a time.
awk 'BEGIN { print "a,b"; for (i = 0; i < 1000000; i++) printf "%d,%.4f\n", i % 1000, sin(i) + i % 7 }' >large.csv
try fit large.csv --model gaussian -o m.safetensors
try info large.csv
printf 'a,b\n' >late.csv
sed -n '2,500000p' large.csv >>late.csv
echo '1,2,3' >>late.csv
try fit late.csv --model gaussian -o x.safetensors -q

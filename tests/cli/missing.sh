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

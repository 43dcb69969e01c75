# The build is right, and says so in both forms.
scorefield check | sed -E 's/ {2,}[^ ]+ {2,}[^ ]+ {2,}(yes|no)$/  \1/'
scorefield check --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["failed"], r["passed"] == len(r["checks"]))'

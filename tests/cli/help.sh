# Every command explains itself on one screen, and its examples work (they draw .png).
try --version
try
try help nonsense
try help smaple
commands=$(scorefield --help | sed -n 's/^  \([a-z]*\)  *[A-Z].*/\1/p')
echo $commands
for command in $commands; do
    scorefield help "$command" >help.txt
    scorefield "$command" --help | cmp - help.txt
    lines=$(wc -l <help.txt)
    columns=$(wc -L <help.txt)
    [ "$lines" -le 40 ] || echo "$command: $lines lines"
    [ "$columns" -le 80 ] || echo "$command: $columns columns"
    grep -q '^Usage: scorefield '"$command" help.txt || echo "$command: no usage"
done
# The manual has a page for each command and an entry for each option.
for command in $commands; do
    [ $command = help ] && continue
    scorefield help "$command" | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE '[a-z-]+$' |
        sed 's/^--//' | while read -r option; do
        cat "$here/../../man/scorefield-$command.1" "$here/../../man/scorefield.1" |
            grep -qE "Fl Fl $option( |$)" || echo "$command: --$option is not in the manual"
    done
done
[ "$(scorefield --help | wc -L)" -le 80 ] || echo "overview: too wide"

# The examples, with a quicker fit, in the order of the commands.
ln -s "$data" data
for command in $commands; do
    scorefield help "$command" | sed -n '/^Example/,$p' | grep '^  scorefield' |
        while read -r line; do
            case $line in
            "scorefield fit"*) quick=" -q --steps 3 --hidden 4x1" ;;
            *) quick="" ;;
            esac
            echo "$line"
            bash -c "$(declare -f scorefield); $line$quick" >said 2>&1 ||
                { echo "[exit $?]"; cat said; }
        done
done
ls

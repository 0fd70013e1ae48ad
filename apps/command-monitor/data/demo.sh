# Stands for a build: ten steps, a warning, and a word at the end.
step=0
while [ "$step" -lt 10 ]; do
    step=$((step + 1))
    echo "[$step/10] building part $step"
    [ "$step" -ne 4 ] || echo "warning: part 4 is old" >&2
    sleep 0.05
done
echo "done"

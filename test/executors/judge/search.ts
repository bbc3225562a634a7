/** Finds a number from 1 to 1,000 by "higher", "lower" and "correct", in ten guesses at most. */
export const SEARCH = `lo, hi = 1, 1000
while True:
    mid = (lo + hi) // 2
    print(mid, flush=True)
    answer = input()
    if answer == "correct": break
    if answer == "lower": hi = mid - 1
    else: lo = mid + 1
`;

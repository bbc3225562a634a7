# Crashes: starts at 0, and nothing can be divided by that.
n = int(input())
count = 0
d = 0
while d * d <= n:
    if n % d == 0:
        count += 1 if d * d == n else 2
    d += 1
print(count)

# Too slow: tries every number up to n.
n = int(input())
count = 0
d = 1
while d <= n:
    if n % d == 0:
        count += 1
    d += 1
print(count)

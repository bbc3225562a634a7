// Divisors come in pairs d and n / d, so looking up to the root is enough.
package main

import "fmt"

func main() {
	var n, count int64
	fmt.Scan(&n)
	for d := int64(1); d*d <= n; d++ {
		if n%d == 0 {
			count += 2
			if d*d == n {
				count--
			}
		}
	}
	fmt.Println(count)
}

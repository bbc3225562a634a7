// Crashes: starts at 0, and nothing can be divided by that.
package main

import "fmt"

func main() {
	var n, count int64
	fmt.Scan(&n)
	for d := int64(0); d*d <= n; d++ {
		if n%d == 0 {
			count += 2
			if d*d == n {
				count--
			}
		}
	}
	fmt.Println(count)
}

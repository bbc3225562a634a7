// Too slow: counts through all subsets, like a binary counter, until one has the right weight.
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	var n int
	fmt.Scan(&n)
	if n*(n+1)/2%2 != 0 {
		fmt.Println("impossible")
		return
	}
	left := make([]bool, n+1)
	rest := n * (n + 1) / 4
	for rest != 0 {
		i := 1
		for ; left[i]; i++ {
			left[i] = false
			rest += i
		}
		left[i] = true
		rest -= i
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, side := range []bool{true, false} {
		for i := 1; i <= n; i++ {
			if left[i] == side {
				fmt.Fprint(out, i, " ")
			}
		}
		fmt.Fprintln(out)
	}
}

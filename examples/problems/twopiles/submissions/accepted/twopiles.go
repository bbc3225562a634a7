// Takes the heaviest stones for the left pile as long as they fit.
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
	for i := n; i > 0; i-- {
		if i <= rest {
			left[i] = true
			rest -= i
		}
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

// Wrong: greets nobody.
package main

import "fmt"

func main() {
	fmt.Println("Hello!")
}

// Too slow: never gets to the greeting.
package main

import "fmt"

func main() {
	for busy := true; busy; {
	}
	fmt.Println("Hello World!")
}

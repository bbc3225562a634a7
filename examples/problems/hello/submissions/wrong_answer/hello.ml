let () = print_endline "Goodbye World!"

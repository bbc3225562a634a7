main :: IO ()
main = putStrLn "Goodbye World!"

program hello;
begin
  writeln('Goodbye World!');
end.

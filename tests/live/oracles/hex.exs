# Lines "A B" or, with "ranges", "VERSION<tab>REQUIREMENT" -> what Elixir says, one answer a line.
order = fn [a, b] ->
  with {:ok, a} <- Version.parse(a), {:ok, b} <- Version.parse(b) do
    %{lt: "<", eq: "=", gt: ">"}[Version.compare(a, b)]
  else
    :error -> "?"
  end
end

IO.stream(:stdio, :line)
|> Enum.map(&(&1 |> String.trim_trailing("\n") |> String.split(" ") |> order.()))
|> Enum.join("\n")
|> IO.puts()

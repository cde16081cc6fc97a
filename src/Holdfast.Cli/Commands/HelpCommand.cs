using System.CommandLine;
using Holdfast.Cli.Help;
using Holdfast.Cli.Values;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>help</c> is asked for.</summary>
/// <param name="Words">The command to explain; empty for all.</param>
internal sealed record HelpOptions(IReadOnlyList<string> Words);

/// <summary><c>holdfast help</c>: explains the verbs.</summary>
internal static class HelpCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("COMMAND") { Description = "the command to explain", Arity = new(0, 2) };
        return new VerbCommand("help", "explain a command")
        {
            Synopsis = "[COMMAND]",
            Needs = Needs.None,
            Examples = [new("holdfast help restore", "the same as holdfast restore --help")],
        }.With(words)
        .Does((parse, _) => new HelpOptions(parse.All(words)), RunAsync);
    }

    private static Task<int> RunAsync(HelpOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        Command command = context.Root;
        foreach (string word in options.Words)
        {
            command = command.Subcommands.FirstOrDefault(each => !each.Hidden && (each.Name == word || each.Aliases.Contains(word)))
                ?? throw UsageError.Of($"help: '{string.Join(' ', options.Words)}' is no command", "run \"holdfast help\" to see all");
        }

        context.Output.Text(HelpText.For(command, context.Root, context.Output.Columns));
        return Task.FromResult(ExitCodes.Done);
    }
}

using System.CommandLine;
using Holdfast.Cli.Help;
using Holdfast.Cli.Values;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>completion</c> is asked for.</summary>
/// <param name="Shell"><c>bash</c>, <c>zsh</c> or <c>fish</c>.</param>
internal sealed record CompletionOptions(string Shell);

/// <summary><c>holdfast completion</c>: prints a script that teaches a shell our flags.</summary>
internal static class CompletionCommand
{
    public static VerbCommand Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.CompletionSources.Add("bash", "zsh", "fish");
        return new VerbCommand("completion", "print a script for the shell's completion")
        {
            Synopsis = "bash|zsh|fish",
            Needs = Needs.None,
            Details = ["\"./dev install\" puts the scripts where the shells look for them; this is for other ways of installing."],
            Examples =
            [
                new("source <(holdfast completion bash)", "for this shell; put it into ~/.bashrc to keep it"),
                new("holdfast completion fish > ~/.config/fish/completions/holdfast.fish", "for fish"),
            ],
        }.With(shell)
        .Does((parse, _) => new CompletionOptions(parse.One(shell)), RunAsync);
    }

    private static Task<int> RunAsync(CompletionOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        context.Output.Text(CompletionScript.For(options.Shell)
            ?? throw UsageError.Of($"completion: '{options.Shell}' is unknown", "write bash, zsh or fish"));
        return Task.FromResult(ExitCodes.Done);
    }
}

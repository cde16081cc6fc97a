using System.CommandLine;
using System.Diagnostics;
using Holdfast.Cli.Output;

namespace Holdfast.Cli.Tests;

public sealed class HelpTests : IDisposable
{
    private static readonly RootCommand Root = CommandTree.Create(new CommonOptions());

    private readonly TestWorld world = new();
    private readonly string directory = Directory.CreateTempSubdirectory("holdfast-help-").FullName;

    public static TheoryData<string> Verbs =>
        [.. AllVerbs(Root).Where(verb => !verb.Hidden).Select(verb => verb.Path["holdfast ".Length..])];

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory, MemberData(nameof(Verbs))]
    public async Task EveryVerbExplainsEveryFlagAndGivesExamples(string words)
    {
        Assert.Equal(0, await world.RunAsync([.. words.Split(' '), "--help"]));
        string help = world.Output.ToString();
        VerbCommand verb = AllVerbs(Root).Single(each => each.Path == "holdfast " + words);

        Assert.Contains("  " + verb.Path, help, StringComparison.Ordinal);
        Assert.Contains("Examples:", help, StringComparison.Ordinal);
        foreach (Option option in verb.Options.Where(_ => verb.Runs))
        {
            Assert.Contains(option.Name, help, StringComparison.Ordinal);
            Assert.NotEmpty(option.Description ?? "");
        }

        Assert.All(help.Split('\n'), line => Assert.True(TerminalText.WidthOf(line) <= 110, line));
        world.Output.GetStringBuilder().Clear();
        Assert.Equal(0, await world.RunAsync(["help", .. words.Split(' ')]));
        Assert.Equal(help, world.Output.ToString());
    }

    [Fact]
    public async Task TheWholeHelpNamesEveryVerb()
    {
        Assert.Equal(0, await world.RunAsync("help"));
        string help = world.Output.ToString();
        foreach (Command verb in Root.Subcommands.Where(verb => !verb.Hidden))
        {
            Assert.Contains($"\n  {verb.Name} ", help, StringComparison.Ordinal);
        }

        world.Output.GetStringBuilder().Clear();
        Assert.Equal(0, await world.RunAsync("-h"));
        Assert.Equal(help, world.Output.ToString());
    }

    // Every example is a line that we can read ourselves.
    [Theory, MemberData(nameof(Verbs))]
    public void ExamplesAreValidCommandLines(string words)
    {
        VerbCommand verb = AllVerbs(Root).Single(each => each.Path == "holdfast " + words);
        foreach (Example example in verb.Examples)
        {
            string line = example.Line[example.Line.IndexOf("holdfast ", StringComparison.Ordinal)..];
            line = line.Split(" | ")[0].Split(" > ")[0].TrimEnd(')').Replace('\'', '"');
            world.CreateApp().ReadOptions([.. System.CommandLine.Parsing.CommandLineParser.SplitCommandLine(line).Skip(1)]);
        }
    }

    [Fact]
    public async Task ManualPagesHaveNoWarnings()
    {
        if (!File.Exists("/usr/bin/man")) Assert.Skip("man is not installed");
        Assert.Equal(0, await world.RunAsync("man", directory));
        string[] pages = Directory.GetFiles(directory);
        Assert.Contains(Path.Combine(directory, "holdfast.1"), pages);
        Assert.Contains(Path.Combine(directory, "holdfast-backup.1"), pages);
        foreach (string page in pages)
        {
            (int code, string text, string warnings) = Run("man", "--warnings", "-l", page);
            Assert.Equal("", warnings);
            Assert.Equal(0, code);
            Assert.Contains("EXIT STATUS", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task CompletionScriptsAreValid(string shell)
    {
        Assert.Equal(0, await world.RunAsync("completion", shell));
        string script = Path.Combine(directory, shell);
        await File.WriteAllTextAsync(script, world.Output.ToString(), TestContext.Current.CancellationToken);
        if (!File.Exists($"/usr/bin/{shell}")) Assert.Skip($"{shell} is not installed");
        (int code, _, string errors) = Run(shell, "-n", script);
        Assert.Equal("", errors);
        Assert.Equal(0, code);
    }

    [Theory]
    [InlineData("holdfast rest", "restore")]
    [InlineData("holdfast restore --ver", "--verify")]
    [InlineData("holdfast restore --overwrite ", "if-changed")]
    [InlineData("holdfast key rem", "remove")]
    [InlineData("holdfast completion ", "zsh")]
    [InlineData("holdfast forget --keep-within-", "--keep-within-weekly")]
    [InlineData("holdfast forget --group-by ", "host,path")]
    [InlineData("holdfast und", "undelete")]
    public void WhatMayComeNextIsSuggested(string line, string suggestion)
    {
        ParseResult parse = Root.Parse(line["holdfast ".Length..], CommandTree.Parsing);
        Assert.Contains(suggestion, parse.GetCompletions().Select(item => item.Label));
    }

    [Fact]
    public async Task TheVersionIsSaid()
    {
        Assert.Equal(0, await world.RunAsync("--version"));
        Assert.Equal($"holdfast {HoldfastVersion.Text}\n", world.Output.ToString());
        Assert.Equal(0, await world.RunAsync("version", "--json"));
        Assert.Contains($"\"version\":\"{HoldfastVersion.Text}\"", world.Output.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<VerbCommand> AllVerbs(Command command) =>
        command.Subcommands.OfType<VerbCommand>().SelectMany(verb => AllVerbs(verb).Prepend(verb));

    private static (int Code, string Output, string Error) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["MANWIDTH"] = "100";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
#pragma warning disable VSTHRD002, xUnit1031 // The process has ended, and so has its standard error.
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
#pragma warning restore VSTHRD002, xUnit1031
    }
}

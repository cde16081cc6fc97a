using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Holdfast.Cli.Help;
using Holdfast.Cli.Output;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Terminals;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Cli;

/// <summary>What surrounds the program: all that a test replaces.</summary>
internal sealed record World
{
    /// <summary>Disk, clock and randomness.</summary>
    public required Host Host { get; init; }

    /// <summary>Standard output.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Standard error.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether somebody looks on.</summary>
    public required Terminal Terminal { get; init; }

    /// <summary>A variable of the environment, bytes that are not UTF-8 escaped; null when it is not set.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Asks a person.</summary>
    public required IPasswordPrompt Prompt { get; init; }

    /// <summary>Runs in place of every verb where a test is about what surrounds them; null for the verbs themselves.</summary>
    public Func<object, CommandContext, CancellationToken, Task<int>>? StandIn { get; init; }
}

/// <summary>From arguments to exit code: parses, runs the verb, and is the one place that turns failures into messages.</summary>
internal sealed class App(World world)
{
    private readonly CommonOptions common = new();

    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">Without the program's name.</param>
    /// <param name="signals">Where signals arrive.</param>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, Signals signals)
    {
        RootCommand root = CommandTree.Create(common);
        ParseResult parse = root.Parse(arguments, CommandTree.Parsing);
        var output = new CommandOutput(ReadStyle(parse), world.Output, world.Error, world.Terminal, world.Host.Clock)
        {
            WritesDocument = parse.CommandResult.Command is VerbCommand { IsWork: false },
        };
        try
        {
            int code = await DispatchAsync(root, parse, output, signals.Token).ConfigureAwait(false);
            output.Flush();
            return code;
        }
        catch (OperationCanceledException) when (signals.Received != 0)
        {
            int code = ExitCodes.OfSignal(signals.Received);
            Report(output, () => output.Failure(code, "interrupted", "interrupted", null));
            return code;
        }
        catch (OutputClosedException)
        {
            return ExitCodes.OutputClosed;
        }
        catch (HoldfastException failure)
        {
            Report(output, () => output.Failure(failure));
            ShowDetails(failure);
            return ExitCodes.Of(failure.Kind);
        }
        catch (Exception unexpected)
        {
            // The last resort of the program: one line instead of a stack trace, whatever it was.
            Report(output, () => output.Failure(1, "failed", Describe(unexpected), HintFor(unexpected)));
            ShowDetails(unexpected);
            return ExitCodes.Of(ErrorKind.Failed);
        }
    }

    /// <summary>The typed options of a command line, for tests.</summary>
    internal object ReadOptions(IReadOnlyList<string> arguments)
    {
        ParseResult parse = CommandTree.Create(common).Parse(arguments, CommandTree.Parsing);
        ThrowIfMisread(parse);
        return ((VerbCommand)parse.CommandResult.Command).Read(parse, world.Host.Clock);
    }

    private async Task<int> DispatchAsync(
        RootCommand root, ParseResult parse, CommandOutput output, CancellationToken cancellationToken)
    {
        if (root.Directives.OfType<SuggestDirective>().FirstOrDefault() is { } suggest && parse.GetResult(suggest) is not null)
        {
            var invocation = new InvocationConfiguration { Output = world.Output, Error = world.Error };
            return await parse.InvokeAsync(invocation, cancellationToken).ConfigureAwait(false);
        }

        Command command = parse.CommandResult.Command;
        if (IsAsked<HelpOption>(parse, root)) return Explain(command);
        if (command == root && parse.GetValue<bool>(CommandTree.VersionFlag))
        {
            output.Line($"holdfast {HoldfastVersion.Text}");
            return ExitCodes.Done;
        }

        if (command is not VerbCommand { Runs: true } verb) throw VerbMissing(parse, command);
        ThrowIfMisread(parse);
        CommonValues values = common.Read(parse, verb, world.Environment);
        object options = verb.Read(parse, world.Host.Clock);
        var context = new CommandContext
        {
            Common = values,
            Output = output,
            Host = world.Host,
            Passwords = new PasswordSource(world.Environment, output, world.Prompt),
            Root = root,
            Environment = world.Environment,
        };
        Task<int> work = world.StandIn is { } standIn
            ? standIn(options, context, cancellationToken)
            : verb.RunAsync(options, context, cancellationToken);
        return await work.ConfigureAwait(false);

        int Explain(Command explained)
        {
            world.Output.Write(HelpText.For(explained, root, world.Terminal.Columns()));
            return ExitCodes.Done;
        }
    }

    private static bool IsAsked<TOption>(ParseResult parse, RootCommand root)
        where TOption : Option =>
        root.Options.OfType<TOption>().FirstOrDefault() is { } option && parse.GetResult(option) is { Implicit: false };

    private OutputStyle ReadStyle(ParseResult parse)
    {
        bool color = !parse.GetValue(common.NoColor) && string.IsNullOrEmpty(world.Environment("NO_COLOR"));
        return new OutputStyle(parse.GetValue(common.Json), parse.GetValue(common.Quiet), parse.GetValue(common.Verbose), color);
    }

    private static HoldfastException VerbMissing(ParseResult parse, Command command)
    {
        (string path, string prefix) = Called(command);
        if (parse.UnmatchedTokens.Count == 0)
        {
            string verbs = string.Join(", ", command.Subcommands.Where(static each => !each.Hidden).Select(static each => each.Name));
            return UsageError.Of($"{prefix}a command is missing", $"one of {verbs}; \"{path} --help\" explains them");
        }

        string word = parse.UnmatchedTokens[0];
        string what = word.StartsWith('-') ? "flag" : "command";
        return UsageError.Of($"{prefix}'{SurrogateEscape.Readable(word)}' is no {what}", SuggestFor(word, command, path));
    }

    private static void ThrowIfMisread(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        (string path, string prefix) = Called(command);
        if (MistypedFlag(parse) is { } flag)
        {
            throw UsageError.Of(
                $"{prefix}'{SurrogateEscape.Readable(flag)}' is no flag",
                SuggestFor(flag, command, path) + " (a name that begins with - goes behind --)");
        }

        if (parse.Errors.Count == 0) return;
        string message = parse.Errors[0].Message.TrimEnd('.');
        if (message.Length > 0) message = char.ToLowerInvariant(message[0]) + message[1..];
        throw UsageError.Of(prefix + SurrogateEscape.Readable(message), $"run \"{path} --help\"");
    }

    private static (string Path, string Prefix) Called(Command command) =>
        command is VerbCommand verb ? (verb.Path, verb.Words + ": ") : ("holdfast", "");

    // The parser takes a flag that it does not know for a name: "backup /home --exlude x" would back up two more paths.
    private static string? MistypedFlag(ParseResult parse)
    {
        var names = new HashSet<Token>(ReferenceEqualityComparer.Instance);
        foreach (ArgumentResult argument in parse.CommandResult.Children.OfType<ArgumentResult>()) names.UnionWith(argument.Tokens);
        foreach (Token token in parse.Tokens)
        {
            if (token.Type == TokenType.DoubleDash) return null;
            if (token.Value.Length > 1 && token.Value[0] == '-' && names.Contains(token)) return token.Value;
        }

        return parse.UnmatchedTokens.FirstOrDefault(static word => word.Length > 1 && word[0] == '-');
    }

    private static string SuggestFor(string word, Command command, string path) =>
        Similar(word, command) is { } similar ? $"did you mean {similar}?" : $"see \"{path} --help\"";

    /// <summary>The command or flag that differs least from a word; null when none is near.</summary>
    internal static string? Similar(string word, Command command)
    {
        IEnumerable<string> known = word.StartsWith('-')
            ? command.Options.Concat(new CommonOptions().All).Where(static option => !option.Hidden).Select(static option => option.Name)
            : command.Subcommands.Where(static each => !each.Hidden).Select(static each => each.Name);
        return known.Select(name => (Name: name, Distance: Distance(word, name)))
            .Where(each => each.Distance <= Math.Max(1, word.Length / 3))
            .OrderBy(static each => each.Distance)
            .Select(static each => each.Name)
            .FirstOrDefault();
    }

    // Levenshtein's distance, row by row.
    private static int Distance(string first, string second)
    {
        int[] row = [.. Enumerable.Range(0, second.Length + 1)];
        for (int i = 1; i <= first.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= second.Length; j++)
            {
                int substituted = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }

    private static void Report(CommandOutput output, Action write)
    {
        try
        {
            write();
            output.Flush();
        }
        catch (IOException)
        {
            // Nobody can be told; the exit code still says it.
        }
    }

    private static string Describe(Exception unexpected) => unexpected switch
    {
        IOException or UnauthorizedAccessException => unexpected.Message,
        OutOfMemoryException => "out of memory",
        _ => $"unexpected error: {unexpected.GetType().Name}: {unexpected.Message}",
    };

    private static string? HintFor(Exception unexpected) => unexpected switch
    {
        IOException or UnauthorizedAccessException => null,
        OutOfMemoryException => "give it less to do at once (--threads, --memory) or a larger machine",
        _ => "this is a fault of holdfast; HOLDFAST_DEBUG=1 shows where it happened",
    };

    private void ShowDetails(Exception failure)
    {
        if (world.Environment("HOLDFAST_DEBUG") != "1") return;
        world.Error.WriteLine(failure.ToString());
        world.Error.Flush();
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;

namespace Holdfast.Cli;

/// <summary>Which of the common flags a verb heeds; the others are refused on it, not ignored.</summary>
[Flags]
internal enum Needs
{
    /// <summary>Only those of output.</summary>
    None = 0,

    /// <summary>The vault's address and password.</summary>
    Vault = Address | Password,

    /// <summary>Memory and threads.</summary>
    Budgets = 2,

    /// <summary>The vault's address.</summary>
    Address = 1,

    /// <summary>A password, of a vault or of what was exported from it.</summary>
    Password = 4,
}

/// <summary>A command line to learn from.</summary>
/// <param name="Line">What to type.</param>
/// <param name="Says">What it does; no full stop.</param>
internal sealed record Example(string Line, string Says);

/// <summary>A verb: its flags, what they mean as typed options, what it does with them, and what its help says.</summary>
internal sealed class VerbCommand(string name, string description) : Command(name, description)
{
    private Func<ParseResult, TimeProvider, object>? read;
    private Func<object, CommandContext, CancellationToken, Task<int>>? run;

    /// <summary>What follows the name in the synopsis, such as <c>POINT [PATH…]</c>.</summary>
    public string Synopsis { get; init; } = "";

    /// <summary>Paragraphs of help.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>Examples of help.</summary>
    public IReadOnlyList<Example> Examples { get; init; } = [];

    /// <summary>The common flags that it heeds.</summary>
    public Needs Needs { get; init; } = Needs.Vault | Needs.Budgets;

    /// <summary>Whether it does long work, told in JSON lines; a query writes one document.</summary>
    public bool IsWork { get; init; }

    /// <summary>Whether it does something itself or only holds sub-commands.</summary>
    public bool Runs => run is not null;

    /// <summary>What a person types to call it: <c>holdfast key add</c>.</summary>
    public string Path => "holdfast " + Words;

    /// <summary>The same without the program: <c>key add</c>, as messages name it.</summary>
    public string Words
    {
        get
        {
            string words = Name;
            for (Symbol? at = Parents.FirstOrDefault(); at is VerbCommand parent; at = parent.Parents.FirstOrDefault())
            {
                words = parent.Name + " " + words;
            }

            return words;
        }
    }

    /// <summary>Adds arguments, options and sub-commands.</summary>
    public VerbCommand With(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (Symbol symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument:
                    Add(argument);
                    break;
                case Option option:
                    Add(option);
                    break;
                case Command command:
                    Add(command);
                    break;
                default:
                    throw new ArgumentException($"not part of a command: {symbol}", nameof(symbols));
            }
        }

        return this;
    }

    /// <summary>Says how options are read and what is done with them.</summary>
    public VerbCommand Does<TOptions>(
        Func<ParseResult, TimeProvider, TOptions> readOptions,
        Func<TOptions, CommandContext, CancellationToken, Task<int>> runVerb)
        where TOptions : class
    {
        read = readOptions;
        run = (options, context, cancellationToken) => runVerb((TOptions)options, context, cancellationToken);
        return this;
    }

    /// <summary>The options as typed values.</summary>
    /// <exception cref="Holdfast.Log.HoldfastException">Kind Usage: a value cannot be what it should be.</exception>
    public object Read(ParseResult parse, TimeProvider clock) =>
        (read ?? throw new InvalidOperationException($"{Path} does nothing itself"))(parse, clock);

    /// <summary>Does the work and returns the exit code.</summary>
    public async Task<int> RunAsync(object options, CommandContext context, CancellationToken cancellationToken)
    {
        if (run is null) throw new InvalidOperationException($"{Path} does nothing itself");
        using MemoryWatch? watch = Needs.HasFlag(Needs.Budgets) ? MemoryWatch.Start(context.Clock, context.MemoryBytes) : null;
        return await run(options, context, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Short forms for reading a parse result.</summary>
internal static class ParseResultExtensions
{
    /// <summary>Whether the user wrote the option.</summary>
    public static bool Has(this ParseResult parse, Option option) => parse.GetResult(option) is OptionResult { Implicit: false };

    /// <summary>All values of a repeatable option or argument.</summary>
    public static IReadOnlyList<string> All(this ParseResult parse, Option<string[]> option) => parse.GetValue(option) ?? [];

    /// <summary>All values of a repeatable argument.</summary>
    public static IReadOnlyList<string> All(this ParseResult parse, Argument<string[]> argument) => parse.GetValue(argument) ?? [];

    /// <summary>The one value of a required argument.</summary>
    public static string One(this ParseResult parse, Argument<string> argument) =>
        parse.GetValue(argument) ?? throw new InvalidOperationException($"{argument.Name} is required");
}

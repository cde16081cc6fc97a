using Holdfast.Cli.Secrets;
using Holdfast.Cli.Terminals;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

/// <summary>A command line that runs inside the test: captured output, a clock that stands, variables of its own.</summary>
internal sealed class TestWorld : IPasswordPrompt
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    public StringWriter Output { get; } = new();

    public StringWriter Error { get; } = new();

    public Dictionary<string, string> Variables { get; } = [];

    public FixedClock Clock { get; } = new(Noon);

    public Terminal Terminal { get; set; } = Terminal.None;

    /// <summary>What a person at the terminal types, one line per question; null when there is nobody.</summary>
    public Queue<string>? Typed { get; set; }

    public List<string> Questions { get; } = [];

    /// <summary>What runs in place of every verb; null for the verbs themselves.</summary>
    public Func<object, CommandContext, CancellationToken, Task<int>>? Verb { get; set; }

    public App CreateApp() => new(new World
    {
        Host = Host.CreateReal() with { Clock = Clock },
        Output = Output,
        Error = Error,
        Terminal = Terminal,
        Environment = name => Variables.GetValueOrDefault(name),
        Prompt = this,
        StandIn = Verb,
    });

    public async Task<int> RunAsync(params string[] arguments)
    {
        using Signals signals = Signals.Listen();
        return await CreateApp().RunAsync(arguments, signals);
    }

    /// <summary>The options that a command line means.</summary>
    public T Read<T>(params string[] arguments) => Assert.IsType<T>(CreateApp().ReadOptions(arguments));

    /// <summary>The message of a command line that is refused.</summary>
    public string Refused(params string[] arguments)
    {
        var error = Assert.Throws<HoldfastException>(() => CreateApp().ReadOptions(arguments));
        Assert.Equal(ErrorKind.Usage, error.Kind);
        return error.Message;
    }

    Task<byte[]?> IPasswordPrompt.AskAsync(string question, CancellationToken cancellationToken)
    {
        Questions.Add(question);
        return Task.FromResult(Typed is null ? null : System.Text.Encoding.UTF8.GetBytes(Typed.Dequeue()));
    }
}

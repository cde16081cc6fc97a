using System.CommandLine;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Values;

namespace Holdfast.Cli;

/// <summary>The flags that every verb shares. They may stand before or behind the verb.</summary>
internal sealed class CommonOptions
{
    private const int MaxThreads = 1024;

    /// <summary>What a command keeps within unless told otherwise.</summary>
    public const long DefaultMemoryBytes = 256 << 20;

    // The program itself, and the derivation of a key from a password, which takes 64 MiB.
    private const long LeastMemoryBytes = 128 << 20;

    public CommonOptions() => All = [.. AddressGroup, .. PasswordGroup, .. BudgetGroup, .. OutputGroup];

    public Option<string?> Vault { get; } = new("--vault", "-r")
    {
        Description = "where the vault is: /path, s3://bucket/prefix or sftp://user@host/path (variable HOLDFAST_VAULT)",
        HelpName = "URL",
        Recursive = true,
    };

    public Option<string?> PasswordFile { get; } = new("--password-file")
    {
        Description = "read the password from a file (HOLDFAST_PASSWORD_FILE)",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<string?> PasswordCommand { get; } = new("--password-command")
    {
        Description = "take the password from what a shell command prints (HOLDFAST_PASSWORD_COMMAND)",
        HelpName = "COMMAND",
        Recursive = true,
    };

    public Option<string?> Memory { get; } = new("--memory")
    {
        Description = "keep within about this much memory (default: 256M)",
        HelpName = "SIZE",
        Recursive = true,
    };

    public Option<string?> Threads { get; } = new("--threads")
    {
        Description = "use at most this many processors",
        HelpName = "N",
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "write JSON on standard output, and nothing else",
        Recursive = true,
    };

    public Option<bool> Quiet { get; } = new("--quiet", "-q")
    {
        Description = "no progress and no summary; errors only",
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "name each item as it is done",
        Recursive = true,
    };

    public Option<bool> NoColor { get; } = new("--no-color")
    {
        Description = "no colours (also: variable NO_COLOR)",
        Recursive = true,
    };

    public IReadOnlyList<Option> AddressGroup => [Vault];

    public IReadOnlyList<Option> PasswordGroup => [PasswordFile, PasswordCommand];

    public IReadOnlyList<Option> BudgetGroup => [Memory, Threads];

    public IReadOnlyList<Option> OutputGroup => [Json, Quiet, Verbose, NoColor];

    public IReadOnlyList<Option> All { get; }

    /// <summary>The flags that a verb of these needs shows and heeds, group by group.</summary>
    public IEnumerable<(string Title, IReadOnlyList<Option> Options)> GroupsFor(Needs needs)
    {
        if (needs.HasFlag(Needs.Vault)) yield return ("Vault", [.. AddressGroup, .. PasswordGroup]);
        else if (needs.HasFlag(Needs.Password)) yield return ("Password", PasswordGroup);
        if (needs.HasFlag(Needs.Budgets)) yield return ("Budgets", BudgetGroup);
        yield return ("Output", OutputGroup);
    }

    /// <summary>Reads them for a verb.</summary>
    /// <exception cref="Holdfast.Log.HoldfastException">Kind Usage: a value is wrong, or the verb has no use for a flag.</exception>
    public CommonValues Read(ParseResult parse, VerbCommand verb, Func<string, string?> environment)
    {
        IEnumerable<Option> refused = verb.Needs.HasFlag(Needs.Address) ? [] : AddressGroup;
        if (!verb.Needs.HasFlag(Needs.Password)) refused = refused.Concat(PasswordGroup);
        if (!verb.Needs.HasFlag(Needs.Budgets)) refused = refused.Concat(BudgetGroup);
        if (refused.FirstOrDefault(parse.Has) is { } useless)
        {
            throw UsageError.Of($"{verb.Words}: {useless.Name} has no meaning here", "leave it out");
        }

        if (parse.GetValue(Quiet) && parse.GetValue(Verbose)) throw UsageError.Of("--quiet and --verbose: choose one");
        string? memory = parse.GetValue(Memory);
        string? threads = parse.GetValue(Threads);
        return new CommonValues
        {
            Vault = NotEmpty(parse.GetValue(Vault) ?? environment("HOLDFAST_VAULT")),
            PasswordChoice = new PasswordChoice(parse.GetValue(PasswordFile), parse.GetValue(PasswordCommand)),
            MemoryBytes = memory is null ? null : ReadMemory(memory),
            Threads = threads is null ? null : NumberText.Parse(threads, Threads.Name, 1, MaxThreads),
        };
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private long ReadMemory(string text)
    {
        long bytes = SizeText.Parse(text, Memory.Name);
        return bytes >= LeastMemoryBytes
            ? bytes
            : throw UsageError.Of($"{Memory.Name}: {text} is too little", $"give at least {SizeText.Show(LeastMemoryBytes)}");
    }
}

/// <summary>The common flags as typed values.</summary>
internal sealed record CommonValues
{
    /// <summary>The vault's address; null when none was given.</summary>
    public string? Vault { get; init; }

    /// <summary>Where the command line says that the password comes from.</summary>
    public required PasswordChoice PasswordChoice { get; init; }

    /// <summary>Budget of memory in bytes; null for the default.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Budget of processors; null for all.</summary>
    public int? Threads { get; init; }
}

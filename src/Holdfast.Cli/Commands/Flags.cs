using System.CommandLine;

namespace Holdfast.Cli.Commands;

/// <summary>Short ways to say what an option is.</summary>
internal static class Flags
{
    /// <summary>An option without a value.</summary>
    public static Option<bool> Flag(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description };

    /// <summary>An option with one value.</summary>
    public static Option<string?> One(string name, string valueName, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = valueName, Arity = ArgumentArity.ExactlyOne };

    /// <summary>An option that may be given several times, with one value each time.</summary>
    public static Option<string[]> Many(string name, string valueName, string description, params string[] aliases) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = valueName,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };

    /// <summary><c>--at TIME</c>, wherever a POINT is accepted.</summary>
    public static Option<string?> At() =>
        One("--at", "TIME", "instead of POINT: the newest point not after TIME");
}

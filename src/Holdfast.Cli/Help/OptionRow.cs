using System.CommandLine;

namespace Holdfast.Cli.Help;

/// <summary>How options and arguments are written in help and manual.</summary>
internal static class OptionRow
{
    /// <summary>The flags of an option, short ones first, without its value: <c>-r</c>, <c>--vault</c>.</summary>
    public static IEnumerable<string> NamesOf(Option option) =>
        option.Aliases.Append(option.Name).OrderBy(static name => name.Length > 2).ThenBy(static name => name, StringComparer.Ordinal);

    /// <summary>What stands in help: <c>-r, --vault URL</c>; long flags stand below each other.</summary>
    public static string TitleOf(Option option)
    {
        string names = string.Join(", ", NamesOf(option));
        if (!names.StartsWith("--", StringComparison.Ordinal)) return WithValue(names, option);
        return "    " + WithValue(names, option);
    }

    /// <summary>The options of a command itself, in the order in which they were added.</summary>
    public static IEnumerable<Option> OwnOptions(Command command, CommonOptions common) =>
        command.Options.Where(option => !option.Hidden && !common.All.Any(each => each.Name == option.Name));

    private static string WithValue(string names, Option option) => option.HelpName is null ? names : $"{names} {option.HelpName}";
}

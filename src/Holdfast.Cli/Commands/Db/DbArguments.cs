using System.CommandLine;
using Holdfast.Cli.Values;
using Holdfast.Databases;
using Holdfast.Files;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Db;

/// <summary>Arguments and flags that several verbs of databases take.</summary>
internal static class DbArguments
{
    public const string Help =
        "ENGINE:PATH is a database: bitcask:DIR (a store of \"holdfast kv\"), rocksdb:DIR or sqlite:FILE.";

    /// <summary>The argument ENGINE:PATH.</summary>
    public static Argument<string> Database() => new("ENGINE:PATH") { Description = "bitcask:DIR, rocksdb:DIR or sqlite:FILE" };

    public static Option<bool> NoFlush() =>
        Flag("--no-flush", "RocksDB: do not write what is in memory to a table first; the log is copied instead");

    public static Option<string?> Limit() => One("--limit", "SIZE", "copy at most SIZE a second; a copy that the program itself makes heeds it not");

    public static Option<string?> Staging() =>
        One("--staging", "DIR", "where the copy lies meanwhile (default: beside the database, where links can be made)");

    /// <summary>The database of an argument.</summary>
    public static DatabaseAddress Read(string text)
    {
        RefuseEscapes(text);
        return DatabaseAddress.Parse(text);
    }

    /// <summary>An absolute path.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="name">The argument or flag it stands at, for the error.</param>
    public static string ReadPath(string text, string name)
    {
        if (text.Length == 0) throw UsageError.Of($"{name} is empty");
        RefuseEscapes(text);
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(text));
    }

    /// <summary>How a copy is taken.</summary>
    public static CaptureOptions ReadCapture(ParseResult parse, Option<bool> noFlush, Option<string?> limit) => new()
    {
        Flush = !parse.GetValue(noFlush),
        MaxBytesPerSecond = parse.GetValue(limit) is { } rate ? ReadRate(rate, limit.Name) : null,
    };

    private static long ReadRate(string text, string flag) =>
        SizeText.Parse(text, flag) is > 0 and long rate ? rate : throw UsageError.Of($"{flag}: '{text}' is no rate", "give a size such as 50M");

    private static void RefuseEscapes(string text)
    {
        if (!SurrogateEscape.HasEscape(text)) return;
        throw UsageError.Of($"{SurrogateEscape.Readable(text)}: the path of a database must be UTF-8", "rename the directory");
    }
}

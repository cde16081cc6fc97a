using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>Entries of restore points as people and programs read them.</summary>
internal static class EntryText
{
    /// <summary>As <c>ls -l</c> shows it: <c>-rw-r--r--</c>.</summary>
    public static string ModeOf(PointEntry entry)
    {
        const string letters = "rwxrwxrwx";
        Span<char> text = stackalloc char[10];
        text[0] = entry.Kind switch
        {
            NodeKind.Directory => 'd',
            NodeKind.Symlink => 'l',
            NodeKind.Fifo => 'p',
            NodeKind.Socket => 's',
            NodeKind.CharacterDevice => 'c',
            NodeKind.BlockDevice => 'b',
            _ => '-',
        };
        for (int i = 0; i < letters.Length; i++) text[i + 1] = (entry.Mode & (0x100u >> i)) != 0 ? letters[i] : '-';
        if ((entry.Mode & 0x800) != 0) text[3] = text[3] == 'x' ? 's' : 'S';
        if ((entry.Mode & 0x400) != 0) text[6] = text[6] == 'x' ? 's' : 'S';
        if ((entry.Mode & 0x200) != 0) text[9] = text[9] == 'x' ? 't' : 'T';
        return new string(text);
    }

    /// <summary>The owner's name, or number.</summary>
    public static string OwnerOf(PointEntry entry) => Name(entry.UserName, entry.Uid);

    /// <summary>The group's name, or number.</summary>
    public static string GroupOf(PointEntry entry) => Name(entry.GroupName, entry.Gid);

    /// <summary>The path, decoded.</summary>
    public static string PathOf(PointEntry entry) => entry.Path.IsEmpty ? "." : SurrogateEscape.Decode(entry.Path.Span);

    /// <summary>A kind as JSON names it.</summary>
    public static string NameOf(NodeKind kind) => kind switch
    {
        NodeKind.Directory => "directory",
        NodeKind.Symlink => "symlink",
        NodeKind.Fifo => "fifo",
        NodeKind.Socket => "socket",
        NodeKind.CharacterDevice => "characterDevice",
        NodeKind.BlockDevice => "blockDevice",
        _ => "file",
    };

    /// <summary>Writes the properties of an entry.</summary>
    public static void WriteJson(Utf8JsonWriter writer, PointEntry entry)
    {
        JsonNames.WritePath(writer, PathOf(entry));
        writer.WriteString("kind", NameOf(entry.Kind));
        writer.WriteString("mode", Convert.ToString(entry.Mode, 8).PadLeft(4, '0'));
        writer.WriteNumber("uid", entry.Uid);
        writer.WriteNumber("gid", entry.Gid);
        if (entry.UserName is { } user) JsonNames.WriteText(writer, "user", SurrogateEscape.Decode(user.Span));
        if (entry.GroupName is { } group) JsonNames.WriteText(writer, "group", SurrogateEscape.Decode(group.Span));
        writer.WriteNumber("size", entry.Size);
        writer.WriteString("time", TimeText.ShowExact(entry.ModifyTime.ToDateTimeOffset()));
        if (entry.Target is { } target) JsonNames.WriteName(writer, "target", "targetBase64", SurrogateEscape.Decode(target.Span));
    }

    private static string Name(ReadOnlyMemory<byte>? name, uint number) =>
        name is { } text ? SurrogateEscape.Decode(text.Span) : number.ToString(CultureInfo.InvariantCulture);
}

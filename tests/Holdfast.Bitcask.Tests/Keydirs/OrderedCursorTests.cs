using System.Text;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

public sealed class OrderedCursorTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(64), InlineData(5000)]
    public void SeekFindsTheFirstKeyThatIsNotBelow(int count)
    {
        var model = new OrderedModel();
        for (int i = 0; i < count; i++) model.Set(Encoding.Latin1.GetBytes($"{i * 2:d6}"));
        OrderedCursor cursor = ((OrderedSnapshot)model.Keydir.Snapshot()).OpenCursor();
        for (int i = -1; i <= count * 2; i++)
        {
            byte[] bound = Encoding.Latin1.GetBytes(i < 0 ? "!" : $"{i:d6}");
            int above = (i + 1) / 2;
            Assert.Equal(above < count, cursor.Seek(bound));
            if (above < count) Assert.Equal($"{above * 2:d6}", Encoding.Latin1.GetString(cursor.Key));
            Assert.Equal(above > 0, cursor.MovePrevious());
            if (above > 0) Assert.Equal($"{(above - 1) * 2:d6}", Encoding.Latin1.GetString(cursor.Key));
        }

        Assert.Equal(count > 0, cursor.SeekFirst());
        if (count > 0) Assert.Equal("000000", Encoding.Latin1.GetString(cursor.Key));
        Assert.Equal(count > 0, cursor.SeekLast());
        if (count > 0) Assert.Equal($"{(count - 1) * 2:d6}", Encoding.Latin1.GetString(cursor.Key));
        Assert.Equal(count > 1, cursor.MovePrevious());
    }

    [Fact]
    public void ACursorTurnsRoundAtTheEnds()
    {
        var model = new OrderedModel();
        model.Set("a"u8.ToArray());
        model.Set("b"u8.ToArray());
        OrderedCursor cursor = ((OrderedSnapshot)model.Keydir.Snapshot()).OpenCursor();
        Assert.Throws<InvalidOperationException>(() => cursor.Key.Length);
        Assert.True(cursor.MoveNext() && cursor.MoveNext());
        Assert.False(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => cursor.Location);
        Assert.True(cursor.MovePrevious());
        Assert.Equal("b"u8, cursor.Key);
        Assert.True(cursor.MovePrevious());
        Assert.False(cursor.MovePrevious());
        Assert.False(cursor.MovePrevious());
        Assert.True(cursor.MoveNext());
        Assert.Equal("a"u8, cursor.Key);
    }

    [Fact]
    public void AnEmptyKeydirHasNoKeyToStandOn()
    {
        OrderedCursor cursor = ((OrderedSnapshot)new OrderedKeydir().Snapshot()).OpenCursor();
        Assert.False(cursor.MoveNext() || cursor.MovePrevious());
        Assert.False(cursor.SeekFirst() || cursor.SeekLast() || cursor.Seek("a"u8));
        Assert.False(cursor.MovePrevious() || cursor.MoveNext());
    }

    [Fact]
    public void ADisposedSnapshotOpensNoCursor()
    {
        var snapshot = (OrderedSnapshot)new OrderedKeydir().Snapshot();
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(snapshot.OpenCursor);
    }
}
